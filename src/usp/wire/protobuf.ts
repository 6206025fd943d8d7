import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import protobuf from 'protobufjs'
import { packageRoot } from '../../base/index.ts'

/** The one door to protobufjs: types are read once from proto/, our own description of the wire. */
export type MessageType = protobuf.Type

/** Reads the fields of a message one by one. */
export const { Reader } = protobuf

/** Protobuf message types by their full names. */
export interface WireTypes {
  readonly record: MessageType
  readonly msg: MessageType
}

/** Reads proto/ and builds the codecs; some 20 ms. */
export function loadWireTypes(): WireTypes {
  const folder = join(packageRoot(import.meta.url), 'proto')
  const root = new protobuf.Root()
  for (const file of ['usp-record.proto', 'usp-msg.proto']) {
    // Names stay as the specification spells them.
    protobuf.parse(readFileSync(join(folder, file), 'utf8'), root, { keepCase: true })
  }
  root.resolveAll()
  return { record: root.lookupType('usp_record.Record'), msg: root.lookupType('usp.Msg') }
}
