import t from 'tap'
import { urlsOf } from '../../src/database/servers.ts'

t.test('a URL with several hosts is one for each of them', async t => {
  const cases: [string, string[]][] = [
    ['postgres://u:p@a:1/d', ['postgres://u:p@a:1/d']],
    ['postgres://u:p@a:1,b:2/d', ['postgres://u:p@a:1/d', 'postgres://u:p@b:2/d']],
    [
      'postgresql://a,b,c/d?sslmode=verify-full',
      ['a', 'b', 'c'].map(host => `postgresql://${host}/d?sslmode=verify-full`),
    ],
    ['postgres://[::1]:1,[::2]:2/d', ['postgres://[::1]:1/d', 'postgres://[::2]:2/d']],
    ['postgres://a,b/d?target_session_attrs=read-write', ['postgres://a/d', 'postgres://b/d']],
    [
      'postgres://a,b/d?target_session_attrs=read-write&sslmode=disable',
      ['postgres://a/d?sslmode=disable', 'postgres://b/d?sslmode=disable'],
    ],
    [
      'postgres://a,b/d?sslmode=disable&target_session_attrs=primary',
      ['a', 'b'].map(host => `postgres://${host}/d?sslmode=disable`),
    ],
    ['postgres://u:a%2Cb@a/d', ['postgres://u:a%2Cb@a/d']],
  ]
  for (const [url, urls] of cases) t.strictSame(urlsOf(url), urls, url)
})
