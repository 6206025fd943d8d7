import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { chooseVersion, informFacts } from '../../../src/cwmp/acs/inform/inform.ts'
import { ParameterTypes } from '../../../src/cwmp/acs/session/values.ts'
import { deviceIdOf } from '../../../src/domain/index.ts'
import { startAcs, type TestAcs } from '../../support/cwmp-acs.ts'
import { CpeWire, vector } from '../../support/cwmp-wire.ts'
import { decodeEnvelope } from '../../support/decode-envelope.ts'

const read = (name: string) => readFileSync(join(import.meta.dirname, `../../vectors/cwmp/read/${name}.xml`), 'utf8')

describe('an Inform with an odd detail', () => {
  let world: TestAcs
  beforeEach(async () => {
    world = await startAcs()
  })
  afterEach(() => world.stop())

  it.each([
    'inform-empty-supported-versions',
    'inform-leading-newline',
    'inform-oui-colons',
    'inform-retry-count-minus1',
    'inform-serial-blank-around',
    'inform-unbound-xsi',
  ])('is taken: %s', async (name) => {
    const cpe = new CpeWire(world.acs.port)
    const answer = await cpe.post(read(name))
    cpe.close()
    expect(answer.text).toContain('InformResponse')
    expect([...world.stores.inside.devices.keys()]).toEqual([
      deviceIdOf({ oui: '00D09E', productClass: 'TestBox', serial: 'MIN1' }),
    ])
  })

  it('that cannot be read is refused with the place, and is an event of the device on record', async () => {
    const cpe = new CpeWire(world.acs.port)
    await cpe.post(vector('inform', { SERIAL: '1' }))
    const events = '<EventStruct><EventCode>2 PERIODIC</EventCode></EventStruct>'.repeat(1100)
    const bad = vector('inform', { SERIAL: '1' }).replace(/<Event\b[\s\S]*<\/Event>/, `<Event>${events}</Event>`)
    const answer = await cpe.post(bad)
    cpe.close()
    expect(answer.text).toContain('<FaultCode>8003</FaultCode>')
    expect(answer.text).toContain('Inform/Event has more than 1024 items')
    expect(world.stores.inside.events).toContainEqual(
      expect.objectContaining({
        type: 'device.refused',
        deviceId: deviceIdOf({ oui: '00256D', productClass: 'Box', serial: '1' }),
        data: expect.objectContaining({
          reason: 'inform',
          text: expect.stringContaining('more than 1024 items'),
        }),
      }),
    )
  })

  it('that cannot be read, of a device that is not on record, leaves nothing there', async () => {
    const cpe = new CpeWire(world.acs.port)
    const events = '<EventStruct/>'.repeat(1100)
    const bad = vector('inform', { SERIAL: '1' }).replace(/<Event\b[\s\S]*<\/Event>/, `<Event>${events}</Event>`)
    expect((await cpe.post(bad)).text).toContain('8003')
    cpe.close()
    expect(world.stores.inside.devices.size).toBe(0)
  })
})

describe('facts of an Inform', () => {
  it('have no white space around what is compared', () => {
    const text = vector('inform', { SERIAL: '1' }).replace(/(<Value[^>]*>)/g, '$1\n ')
    const envelope = decodeEnvelope(Buffer.from(text))
    const { message } = envelope
    if (message.kind !== 'request' || message.name !== 'Inform') throw new Error('no Inform')
    const facts = informFacts(message.body, envelope, { remoteAddress: '192.0.2.1' } as never, new ParameterTypes())
    const version = facts.parameters.find(({ name }) => name.endsWith('DeviceInfo.SoftwareVersion'))
    expect(version?.value).toMatch(/^\S+$/)
  })

  it('count a list of versions that is empty as none', () => {
    expect(chooseVersion(decodeEnvelope(Buffer.from(read('inform-empty-supported-versions'))))).toBe('1.0')
  })

  it('know the type of a value in any case', () => {
    const types = new ParameterTypes()
    expect(['unsignedint', 'Int', 'DateTime', 'BOOLEAN', ' string '].map((xsd) => types.typeOf('X.A', xsd))).toEqual([
      'unsignedInt',
      'int',
      'dateTime',
      'boolean',
      'string',
    ])
  })
})
