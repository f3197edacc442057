/** The dots that browsers take for those of a host (UTS #46 §2.3). */
const DOTS = /(?<=\S)[.\u3002\uff0e\uff61](?=\S)/gu
const SCHEME = /(?<=\p{L}):(?=\S)/gu

/** What somebody else wrote, for a mail: one line, of which no mail program makes a link: `evil[.]com`, `https[:]//…`. */
export const defused = (text: string): string =>
  text
    .replace(/[\s\p{C}\p{Default_Ignorable_Code_Point}]+/gu, ' ')
    .trim()
    .replace(DOTS, '[.]')
    .replace(SCHEME, '[:]')
