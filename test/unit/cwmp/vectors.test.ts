import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type CwmpEnvelope, encodeEnvelope, RPCS } from '../../../src/cwmp/wire/index.ts'
import { decodeEnvelope } from '../../support/decode-envelope.ts'

const VECTORS = join(import.meta.dirname, '../../vectors/cwmp')

interface Vector {
  name: string
  xml: string
  want: CwmpEnvelope
}

function vectors(topic: string): Vector[] {
  const folder = join(VECTORS, topic)
  return readdirSync(folder)
    .filter((file) => file.endsWith('.xml'))
    .map((file) => ({
      name: file.slice(0, -4),
      xml: readFileSync(join(folder, file), 'utf8'),
      want: JSON.parse(readFileSync(join(folder, `${file.slice(0, -4)}.json`), 'utf8')),
    }))
}

/** The bytes on the wire: a vector's lines and indents between tags are for people. */
const onWire = (xml: string) => xml.trim().replace(/>\s+</g, '><').replace('?><', '?>\n<')

describe.each(['methods', 'versions'])('vectors of TR-069, %s: typed from its tables, not by our encoder', (topic) => {
  it.each(vectors(topic).map((vector) => [vector.name, vector] as const))('%s reads as expected', (_name, vector) => {
    expect(decodeEnvelope(Buffer.from(vector.xml))).toEqual(vector.want)
    expect(decodeEnvelope(Buffer.from(onWire(vector.xml)))).toEqual(vector.want)
  })

  it.each(vectors(topic).map((vector) => [vector.name, vector] as const))(
    '%s is written byte for byte',
    (_name, { xml, want: { urn, header, message } }) => {
      if (message.kind === 'unknown') throw new Error('nobody writes a method that nobody knows')
      expect(encodeEnvelope(urn, header, message)).toBe(onWire(xml))
    },
  )
})

describe('the vectors', () => {
  it('have every method both ways, and faults of both sides', () => {
    const messages = vectors('methods').map(({ want }) => want.message)
    const have = messages.flatMap((message) =>
      message.kind === 'fault' ? [`fault ${message.fault.code}`] : [`${message.kind} ${message.name}`],
    )
    for (const name of Object.keys(RPCS))
      expect(have).toEqual(expect.arrayContaining([`request ${name}`, `response ${name}`]))
    expect(have).toEqual(expect.arrayContaining(['fault 8005', 'fault 9002', 'fault 9003', 'fault 9005']))
  })
})
