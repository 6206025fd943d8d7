import { describe, expect, it } from 'vitest'
import { CpeNotebook } from '../../../src/cwmp/acs/discovery/cpe-notes.ts'
import { ParameterTypes } from '../../../src/cwmp/acs/session/values.ts'
import { readPaths } from '../../../src/cwmp/acs/verbs/read-paths.ts'
import { type Asked, scriptedSession } from '../../support/cwmp-script.ts'

const types = new ParameterTypes()
const WLAN = 'InternetGatewayDevice.LANDevice.1.WLANConfiguration.'
const HOSTS = 'InternetGatewayDevice.LANDevice.1.Hosts.'
const MAPPINGS = 'InternetGatewayDevice.WANDevice.1.WANConnectionDevice.1.WANPPPConnection.1.PortMapping.'
const COUNT = `${HOSTS}HostNumberOfEntries`
const TREE = [`${WLAN}1.SSID`, `${WLAN}1.Channel`, `${WLAN}2.SSID`, `${HOSTS}Host.1.MACAddress`, COUNT]

/** A CPE that calls every partial path in GetParameterValues unknown, and the numbers of entries that it lists. */
function refuses(request: Asked) {
  if (request.name === 'GetParameterNames') return listed(request.body.ParameterPath, request.body.NextLevel)
  if (request.name !== 'GetParameterValues') return 9000
  const { ParameterNames: names } = request.body
  if (names.some((name) => !TREE.includes(name) || name === COUNT)) return 9005
  return { ParameterList: names.map((name) => ({ name, value: 'v', type: 'xsd:string' })) }
}

function listed(path: string, nextLevel: boolean) {
  const names = new Set<string>()
  for (const name of TREE) {
    if (!name.startsWith(path)) continue
    names.add(nextLevel ? path + (name.slice(path.length).match(/^[^.]+\.?/)?.[0] ?? '') : name)
  }
  return names.size === 0 ? 9005 : { ParameterList: [...names].map((Name) => ({ Name, Writable: true })) }
}

function start(answer: Parameters<typeof scriptedSession>[0] = refuses) {
  const script = scriptedSession(answer)
  const notes = new CpeNotebook().of(script.session.device)
  return { ...script, notes, read: (paths: string[]) => readPaths(script.session, paths, types, notes) }
}

describe('an object that the CPE calls unknown', () => {
  it('is read name by name when names are listed below it', async () => {
    const { read, notes } = start()
    const outcomes = await read([`${WLAN}1.SSID`, WLAN, HOSTS])
    const paths = outcomes.flatMap(({ path, value }) => (value === undefined ? [] : [path])).toSorted()
    expect(paths).toEqual(TREE.filter((name) => name !== COUNT).toSorted((a, b) => (a < b ? -1 : 1)))
    expect(outcomes.filter(({ error, optional }) => error !== undefined && optional !== true)).toEqual([])
    expect(notes.unsaved()).toMatchObject({ namesOnly: true })
  })

  it('is not asked for as a whole any more once the CPE is known to refuse every object', async () => {
    const { read, asked, batches } = start()
    await read([WLAN])
    const before = batches().length
    asked.splice(0)
    await read([WLAN])
    expect(before).toBe(2)
    expect(asked.map(({ name }) => name)).toEqual(['GetParameterNames', 'GetParameterValues'])
  })

  it('is empty when nothing is listed below it', async () => {
    const { read, notes } = start()
    expect(await read([MAPPINGS])).toEqual([])
    expect(notes.namesOnly).toBe(false)
  })

  it('is not taken for absent when the CPE does not list it for another reason', async () => {
    const { read } = start((request) => (request.name === 'GetParameterNames' ? 9002 : refuses(request)))
    expect(await read([WLAN])).toMatchObject([{ path: WLAN, error: { code: '9002' } }])
  })

  it('does not keep a CPE that gives other objects from being asked for them', async () => {
    const { read, notes } = start((request) => {
      if (request.name !== 'GetParameterValues' || request.body.ParameterNames.join() !== WLAN) return refuses(request)
      return { ParameterList: [{ name: `${WLAN}1.SSID`, value: 'v', type: 'xsd:string' }] }
    })
    await read([WLAN])
    expect(await read([HOSTS])).toContainEqual(
      expect.objectContaining({ path: `${HOSTS}Host.1.MACAddress`, value: 'v' }),
    )
    expect(notes.namesOnly).toBe(false)
  })
})
