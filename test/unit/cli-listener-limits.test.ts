import { expect, it } from 'vitest'
import { examineOpenFiles } from '../../src/cli/doctor/open-files.ts'
import { listenerLimits } from '../../src/cli/parts/listener-limits.ts'
import { readConfig } from '../../src/config/index.ts'

it('the listeners of devices share four fifths of the files that may be open, the API has a tenth, and it is said when those are too few', () => {
  const config = readConfig({}, {})
  const wide = listenerLimits(config, 1_000_000)
  expect([wide.cwmp.maxConnections, wide.usp.maxConnections, wide.tooFewFiles]).toEqual([11_000, 21_000, undefined])
  expect([1_000_000, undefined].map((files) => listenerLimits(config, files).api.maxConnections)).toEqual([2000, 2000])
  const { api, cwmp, usp, tooFewFiles } = listenerLimits(config, 5375)
  expect(api.maxConnections).toBe(537)
  expect([cwmp.maxConnections, usp.maxConnections]).toEqual([1100, 2100])
  expect(tooFewFiles).toEqual({ limit: 5375, needed: 53_750 })
})

it('networks and algorithms are read from their texts', () => {
  const config = readConfig(
    { trustedProxies: '10.0.0.0/8', connectionRequestNetworks: '192.0.2.0/24', digestAlgorithms: 'sha-256,md5' },
    {},
  )
  const { cwmp, usp } = listenerLimits(config, undefined)
  expect([cwmp.trustedProxies?.has('10.1.1.1'), usp.trustedProxies?.has('10.1.1.1')]).toEqual([true, true])
  expect(cwmp.connectionRequestNetworks?.has('192.0.2.9')).toBe(true)
  expect(cwmp.digestAlgorithms).toEqual(['SHA-256', 'MD5'])
  expect(() => readConfig({ trustedProxies: 'everybody' }, {})).toThrow(/--trusted-proxies.*"everybody" is no network/s)
})

it('doctor says how many files a process may open, and how many it needs', () => {
  const said = (limit: number) =>
    examineOpenFiles(readConfig({}, {}), limit).map(({ state, text }) => `${state}: ${text}`)
  expect(said(65_536)).toEqual(['ok: a process may open 65536 files'])
  expect(said(1024).join()).toMatch(/^warning: a process may open 1024 files, .* need 53750; set LimitNOFILE/)
})
