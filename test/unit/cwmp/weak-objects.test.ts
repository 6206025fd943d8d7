import { expect, it } from 'vitest'
import { CpeNotebook } from '../../../src/cwmp/acs/discovery/cpe-notes.ts'
import { ParameterTypes } from '../../../src/cwmp/acs/session/values.ts'
import { readPaths } from '../../../src/cwmp/acs/verbs/read-paths.ts'
import { type Asked, scriptedSession } from '../../support/cwmp-script.ts'

const types = new ParameterTypes()
const TREE = ['Device.NAT.PortMapping.1.Description', 'Device.NAT.PortMapping.1.Enable']

/** A CPE that dies of a partial path in GetParameterValues, as a well-known simulator does. */
function dies(request: Asked): Parameters<typeof scriptedSession>[0] extends (r: Asked) => infer A ? A : never {
  if (request.name === 'GetParameterNames') {
    const { ParameterPath: path } = request.body
    const next = new Set(
      TREE.filter((name) => name.startsWith(path)).map(
        (name) => path + (name.slice(path.length).match(/^[^.]+\.?/)?.[0] ?? ''),
      ),
    )
    return { ParameterList: [...next].map((Name) => ({ Name, Writable: true })) }
  }
  if (request.name !== 'GetParameterValues') return 9000
  const { ParameterNames: names } = request.body
  if (names.some((name) => name.endsWith('.'))) return undefined
  return { ParameterList: names.map((name) => ({ name, value: 'v', type: 'xsd:string' })) }
}

it('an object that ended two sessions as a whole is read name by name in the third, and from then on', async () => {
  const notebook = new CpeNotebook()
  const read = async (path: string) => {
    const { session } = scriptedSession(dies)
    return readPaths(session, [path], types, notebook.of(session.device)).catch((error: Error) => error.name)
  }
  expect(await read('Device.NAT.PortMapping.')).toBe('TransportError')
  expect(await read('Device.NAT.PortMapping.')).toBe('TransportError')
  for (let n = 0; n < 2; n++)
    expect(await read('Device.NAT.PortMapping.')).toEqual(
      TREE.map((path) => ({ path, value: 'v', type: expect.any(String), writable: true })),
    )
})
