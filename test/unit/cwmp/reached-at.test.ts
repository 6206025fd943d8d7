import type { IncomingMessage } from 'node:http'
import { expect, it } from 'vitest'
import { networksOf } from '../../../src/base/index.ts'
import { reachedAt } from '../../../src/cwmp/acs/http/reached-at.ts'

const proxy = networksOf('127.0.0.1')
const request = (headers: object) => ({ headers, socket: { remoteAddress: '127.0.0.1' } }) as unknown as IncomingMessage

it.each([
  ['acs.example.net:7547', 'http://acs.example.net:7547'],
  ['192.0.2.1', 'http://192.0.2.1'],
  ['[2001:db8::1]:7547', 'http://[2001:db8::1]:7547'],
  ['', undefined],
  ['a b', undefined],
  ['a/../b', undefined],
  ['user@host', undefined],
  ['host?x', undefined],
  ['host#x', undefined],
  ['host:99999999', undefined],
  ['-host', undefined],
  ['x'.repeat(300), undefined],
])('a CPE has reached the ACS at the host that it names, where that is one: %s', (host, address) => {
  expect(reachedAt(request({ host }), undefined)).toBe(address)
})

it('the scheme is that of the connection, or that which a trusted proxy names', () => {
  const headers = { host: 'acs', 'x-forwarded-proto': 'https' }
  expect(reachedAt(request(headers), undefined)).toBe('http://acs')
  expect(reachedAt(request(headers), proxy)).toBe('https://acs')
  expect(reachedAt(request({ ...headers, 'x-forwarded-proto': 'gopher' }), proxy)).toBe('http://acs')
  expect(reachedAt(request({ 'x-forwarded-proto': 'https' }), proxy)).toBeUndefined()
})
