/** The characters that browsers accept as the dots of a host name (UTS #46 §2.3). */
const DOTS = /(?<=\S)[.\u3002\uff0e\uff61](?=\S)/gu
const SCHEME = /(?<=\p{L}):(?=\S)/gu

/**
 * Makes text of another user safe for a mail: one line, in which no mail program finds a link: `evil[.]com`,
 * `https[:]//…`.
 */
export const defused = (text: string): string =>
  text
    .replace(/[\s\p{C}\p{Default_Ignorable_Code_Point}]+/gu, ' ')
    .trim()
    .replace(DOTS, '[.]')
    .replace(SCHEME, '[:]')
