import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type MappedWorld, startMappedWorld } from '../support/mapped-world.ts'
import { until } from '../support/until.ts'

let home: MappedWorld
beforeAll(async () => {
  home = await startMappedWorld(inject('mongodbUri'), { family: 'huaweiOnt' })
  await home.discovered()
})
afterAll(() => home?.stop())

/** Runs a command by its name in TR-181 and resolves with its end. */
async function run(command: string, input: Record<string, string>) {
  const { id } = await home.run({ verb: 'operate', command, input })
  const ended = async () => !['queued', 'sent', 'unknown'].includes((await home.store.operations.get(id))?.state ?? '')
  await until(ended)
  return home.store.operations.get(id)
}

describe('a diagnostic of a TR-098 device, by its name in TR-181', () => {
  it.each([
    [
      'Device.IP.Diagnostics.TraceRoute()',
      { Host: 'example.com', Interface: 'Device.IP.Interface.1', NumberOfTries: '2' },
      { Status: 'Complete', NumberOfTries: '2', RouteHopsNumberOfEntries: '3', 'RouteHops.1.HostAddress': '192.0.2.1' },
    ],
    [
      'Device.IP.Diagnostics.DownloadDiagnostics()',
      { DownloadURL: 'http://test.example/file', Interface: 'Device.IP.Interface.1' },
      { Status: 'Complete', TestBytesReceived: '10000000' },
    ],
    [
      'Device.IP.Diagnostics.UploadDiagnostics()',
      { UploadURL: 'http://test.example/file', TestFileLength: '1000' },
      { Status: 'Complete', TotalBytesSent: '3000' },
    ],
    [
      'Device.DNS.Diagnostics.NSLookupDiagnostics()',
      { HostName: 'example.com', NumberOfRepetitions: '2' },
      { Status: 'Complete', SuccessCount: '2', 'Result.2.IPAddresses': '198.51.100.9,2001:db8::9' },
    ],
    [
      'Device.IP.Diagnostics.TraceRoute()',
      { Host: 'nowhere.invalid' },
      { Status: 'Error_CannotResolveHostName', RouteHopsNumberOfEntries: '0' },
    ],
  ])('%s with %j has its results under their names', async (command, input, output) => {
    const ended = await run(command, input)
    expect(ended).toMatchObject({ state: 'done', result: { output } })
    const names = Object.keys(ended?.result?.output ?? {})
    expect(names.filter((name) => name.includes('Hop') && name.includes('.Hop'))).toEqual([])
  })

  it('has no results of the run before', async () => {
    await run('Device.DNS.Diagnostics.NSLookupDiagnostics()', { HostName: 'example.com', NumberOfRepetitions: '3' })
    const ended = await run('Device.DNS.Diagnostics.NSLookupDiagnostics()', {
      HostName: 'nowhere.invalid',
      NumberOfRepetitions: '1',
    })
    const output = ended?.result?.output ?? {}
    expect(output).toMatchObject({ SuccessCount: '0', ResultNumberOfEntries: '1' })
    const states = Object.entries(output).filter(([name]) => /^Result\.\d+\.Status$/.test(name))
    expect(states.map(([, state]) => state)).toEqual(['Error_HostNameNotResolved'])
  })

  it('is refused, and nothing is sent, with an argument that names no row of the device', async () => {
    const command = 'Device.IP.Diagnostics.TraceRoute()'
    const ended = await run(command, { Host: 'example.com', Interface: 'Device.IP.Interface.77' })
    const results = [{ path: 'Device.IP.Diagnostics.TraceRoute.Interface' }]
    expect(ended).toMatchObject({ state: 'failed', result: { error: { code: 'notMapped' }, results } })
    expect(home.device.tree.raw('InternetGatewayDevice.TraceRouteDiagnostics.DiagnosticsState')).not.toBe('Requested')
  })

  it('leaves no argument to the next one', async () => {
    const command = 'Device.IP.Diagnostics.TraceRoute()'
    const asked = { Host: 'example.com', Interface: 'Device.IP.Interface.1', MaxHopCount: '7' }
    expect(await run(command, asked)).toMatchObject({ state: 'done', result: { output: { MaxHopCount: '7' } } })
    const output = { Interface: '', MaxHopCount: '30' }
    expect(await run(command, { Host: 'example.com' })).toMatchObject({ state: 'done', result: { output } })
  })
})

describe('a command of TR-181 that TR-098 has no command for', () => {
  it('runs by the parameter that acts in its place, or is refused with the reason', async () => {
    expect(await run('Device.PPP.Interface.1.Reset()', {})).toMatchObject({
      state: 'done',
      result: { outcome: 'done' },
    })
    expect(await run('Device.WiFi.Reset()', {})).toMatchObject({
      state: 'failed',
      result: { error: { code: 'notMapped' }, results: [{ path: 'Device.WiFi.Reset()' }] },
    })
  })
})
