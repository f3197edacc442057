import t from 'tap'
import { AllowList } from '../../src/lib/allow-list.ts'

t.test('addresses and CIDRs, each on its port or on all', async t => {
  const list = new AllowList(['10.2.0.0/16', '192.168.1.5:8443', '::1', '[fd12::/16]:443', '[fd13::1]', '2130706433'])
  const allowed: [string, number][] = [
    ['10.2.255.255', 1],
    ['192.168.1.5', 8443],
    ['::1', 80],
    ['fd12:ffff::1', 443],
    ['fd13::1', 9],
    ['127.0.0.1', 80],
  ]
  for (const [address, port] of allowed) t.ok(list.hasAddress(address, port), `${address} ${port}`)
  const others: [string, number][] = [
    ['10.3.0.0', 443],
    ['192.168.1.5', 443],
    ['192.168.1.6', 8443],
    ['::2', 80],
    ['fd12::1', 80],
    ['127.0.0.2', 80],
    ['hooks.internal', 80],
  ]
  for (const [address, port] of others) t.notOk(list.hasAddress(address, port), `${address} ${port}`)
})

t.test('a name is that name in normal form, and none of its relatives', async t => {
  const list = new AllowList(['Hooks.Internal', 'receiver:4000', 'bücher.example'])
  t.ok(list.hasName('hooks.internal', 1))
  t.ok(list.hasName('receiver', 4000))
  t.ok(list.hasName('xn--bcher-kva.example', 443))
  for (const name of ['a.hooks.internal', 'internal', 'xhooks.internal', '']) t.notOk(list.hasName(name, 1), name)
  t.notOk(list.hasName('receiver', 4001))
  t.notOk(list.hasAddress('127.0.0.1', 4000), 'no address by a name')
})

t.test('what is no entry is refused, first of all what would mean everything', async t => {
  const wrong = ['10.0.0.0/', '10.0.0.0/33', '10.0.0.0/x', '/', '/8', '::/129', '[::1', 'a b', 'a/8', '*.internal']
  for (const entry of [
    ...wrong,
    'host:99999',
    'host:',
    'host:x',
    'https://host',
    'user@host',
    '',
    'host.',
    '999.1.1.1',
  ])
    t.throws(() => new AllowList([entry]), entry)
})
