import MarkdownIt from 'markdown-it'
import sanitizeHtml from 'sanitize-html'

/** CommonMark with tables and strikethrough. HTML in the text is shown as text. */
const markdown = new MarkdownIt({ html: false })

/** What the renderer writes, and nothing that runs, loads from a place without TLS, or looks like part of the page. */
const ALLOWED: sanitizeHtml.IOptions = {
  allowedTags: [
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'p', 'blockquote', 'ul', 'ol', 'li', 'hr', 'br', 'pre', 'code'],
    ...['em', 'strong', 's', 'a', 'img', 'table', 'thead', 'tbody', 'tr', 'th', 'td'],
  ],
  allowedAttributes: { a: ['href', 'title', 'rel'], img: ['src', 'alt', 'title'], ol: ['start'] },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowedSchemesByTag: { img: ['https'] },
  allowProtocolRelative: false,
  transformTags: {
    a: (tagName, attributes) => ({ tagName, attribs: { ...attributes, rel: 'noopener nofollow ugc' } }),
  },
}

/** Renders Markdown of anybody as HTML that a page may show to everybody. */
export const htmlOf = (text: string): string => sanitizeHtml(markdown.render(text), ALLOWED)
