import { randomBytes } from 'node:crypto'
import type { ObjectWriter } from '../write/object-writer.ts'
import { ADDRESS_WRITERS } from './addresses.ts'
import { BRIDGING_WRITERS } from './bridging.ts'
import { DHCP_WRITERS } from './dhcp.ts'
import { ETHERNET_WRITERS } from './ethernet.ts'
import { portMappings } from './nat.ts'
import { WIFI_WRITERS } from './wifi.ts'

const WRITERS: ReadonlyMap<string, ObjectWriter> = new Map(
  [
    ...ADDRESS_WRITERS,
    ...BRIDGING_WRITERS,
    ...DHCP_WRITERS,
    ...ETHERNET_WRITERS,
    portMappings(() => randomBytes(8).toString('hex')),
    ...WIFI_WRITERS,
  ].map((writer) => [writer.object, writer]),
)

/** Returns the names of the parameters of an object that are written though no property is theirs alone. */
export function writtenAt(object: string): readonly string[] {
  return WRITERS.get(object)?.parameters ?? []
}

/** Returns true for a table to which rows are added. */
export function growsAt(object: string): boolean {
  return WRITERS.get(object)?.add !== undefined
}

/** Returns the writer of an object; undefined when all of its parameters are properties. */
export function writerFor(object: string): ObjectWriter | undefined {
  return WRITERS.get(object)
}
