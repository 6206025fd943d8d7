import type { Transform, TransformContext } from '../transform.ts'
import { itemsOf, quoted, refusal, type Theme, toSource } from './basics.ts'

const PATH = /^[A-Za-z_][A-Za-z0-9_.-]{0,255}$/
const LAYER_3 = /\.(?:LANHostConfigManagement\.|WAN(?:IP|PPP)Connection\.\d{1,10}\.$)/
const IP_INTERFACE = 'Device.IP.Interface.'

/**
 * Returns the forms of an object path in a value, with its dot, that may be known: as it is, below the root, and the
 * two-level form of a LAN interface (`LANInterfaces.WLANConfiguration.1`) below the first LANDevice.
 */
function objectsIn(text: string, context: TransformContext): string[] {
  const bare = text.trim()
  if (!PATH.test(bare)) return []
  const root = context.from.slice(0, context.from.indexOf('.') + 1)
  const object = bare.endsWith('.') ? bare : `${bare}.`
  const whole = object.startsWith(root) ? object : root + object
  const lan = whole.startsWith(`${root}LANInterfaces.`)
    ? [`${root}LANDevice.1.${whole.slice(root.length + 'LANInterfaces.'.length)}`]
    : []
  return [...new Set([object, whole, ...lan])]
}

/** Returns a TR-181 row path as references hold it: without its dot. */
function reference(row: string | undefined): string | undefined {
  return row?.endsWith('.') ? row.slice(0, -1) : row
}

/** Returns the row of TR-181 in the first of some tables that has one; without tables, the row in any. */
function rowIn(tables: readonly string[], text: string, context: TransformContext): string | undefined {
  for (const object of objectsIn(text, context))
    for (const table of tables.length === 0 ? [undefined] : tables) {
      const row = context.targetOf(object, table)
      if (row !== undefined) return reference(row)
    }
  return undefined
}

/** Returns the IP.Interface behind a WAN connection or an address of the LAN, else the row of the object itself. */
function interfaceOf(text: string, context: TransformContext): string | undefined {
  const isLayer3 = objectsIn(text, context).some((object) => LAYER_3.test(object))
  return rowIn(isLayer3 ? [IP_INTERFACE] : [], text, context)
}

/** Reads a path or a list of paths; items without a row are left out, and a value without any row is no value. */
function readPaths(raw: string, one: (item: string) => string | undefined): string | undefined {
  const items = itemsOf(raw)
  const rows = items.map(one).filter((row) => row !== undefined)
  return items.length > 0 && rows.length === 0 ? undefined : rows.join(',')
}

/** Returns a path in the form that the device shows: with or without the dot at its end. */
function inFormOf(shown: string | undefined, object: string): string {
  const bare = object.endsWith('.') ? object.slice(0, -1) : object
  return itemsOf(shown ?? '')[0]?.endsWith('.') ? `${bare}.` : bare
}

/** Returns the object of the device behind a row path in a value. */
function sourceOf(item: string, context: TransformContext): string {
  const row = item.endsWith('.') ? item : `${item}.`
  const source = PATH.test(row) ? context.sourcesOf(row)[0] : undefined
  if (source === undefined) throw refusal(context, `${quoted(item)} names no object that the device has`)
  return source
}

/** Writes a path or a list of paths. */
function writePaths(value: string, context: TransformContext, one = sourceOf) {
  const shown = context.raw(context.from)
  const items = itemsOf(value).map((item) => inFormOf(shown, one(item, context)))
  return toSource(context, items.join(','))
}

const pathRef: Transform = {
  read: (raw, context) => readPaths(raw, (item) => rowIn([], item, context)),
  write: (value, context) => writePaths(value, context),
}

/** Returns the object of the device behind an IP.Interface; of a LAN interface its first address, or their container. */
function layer3SourceOf(address: boolean) {
  return (item: string, context: TransformContext) => {
    const source = sourceOf(item, context)
    if (!/\.LANDevice\.\d+\.$/.test(source)) return source
    const hosts = `${source}LANHostConfigManagement.`
    const first = address ? context.children(`${hosts}IPInterface.`)[0] : undefined
    return first === undefined ? hosts : `${hosts}IPInterface.${first}.`
  }
}

const ifRef: Transform = {
  read: (raw, context) => readPaths(raw, (item) => interfaceOf(item, context)),
  write: (value, context) => writePaths(value, context, layer3SourceOf(true)),
}

const wanConnRef: Transform = {
  read: (raw, context) => readPaths(raw, (item) => interfaceOf(item, context)),
  write: (value, context) => writePaths(value, context, layer3SourceOf(false)),
}

const QOS_WORDS = ['WAN', 'LAN', 'Local']

const qosIfRef: Transform = {
  read(raw, context) {
    if (QOS_WORDS.includes(raw.trim())) return ''
    return readPaths(raw, (item) => interfaceOf(item, context))
  },
  write(value, context) {
    if (QOS_WORDS.includes(value.trim())) throw refusal(context, `${quoted(value)} is a word of the device alone`)
    return writePaths(value, context, layer3SourceOf(false))
  },
}

const hostL1Ref: Transform = {
  read(raw, context) {
    if (raw.trim() === '') return ''
    return rowIn(['Device.WiFi.Radio.', 'Device.Ethernet.Interface.', 'Device.USB.Interface.'], raw, context)
  },
}

const QOS_TABLES: readonly (readonly [RegExp, string])[] = [
  [/Policer$/, 'Policer'],
  [/Queue$/, 'Queue'],
  [/App(Identifier)?$/, 'App'],
]

/** Returns the name of the table of QueueManagement that a parameter refers to. */
function qosTable(context: TransformContext): string | undefined {
  return QOS_TABLES.find(([leaf]) => leaf.test(context.from))?.[1]
}

/** An instance number of a table of QueueManagement; -1 and 4294967295 are none. */
const instRef: Transform = {
  read(raw, context) {
    const number = raw.trim()
    if (number === '' || number === '-1' || number === '4294967295') return ''
    const table = qosTable(context)
    if (!/^\d{1,9}$/.test(number) || table === undefined) return undefined
    const at = context.from.indexOf('QueueManagement.') + 'QueueManagement.'.length
    return reference(context.targetOf(`${context.from.slice(0, at)}${table}.${Number(number)}.`))
  },
  write(value, context) {
    if (value.trim() === '') {
      const shown = context.raw(context.from)?.trim()
      return toSource(context, shown === '4294967295' ? shown : '-1')
    }
    const source = sourceOf(value.trim(), context)
    if (!source.includes(`.${qosTable(context)}.`))
      throw refusal(context, `${quoted(value)} is no row of QoS.${qosTable(context)}`)
    return toSource(context, /(\d+)\.?$/.exec(source)?.[1] ?? '')
  },
}

/** A path of a parameter or of a part of the tree; one without a row stays as it is. */
const paramRef: Transform = {
  read(raw, context) {
    const path = raw.trim()
    if (path === '') return ''
    return (path.endsWith('.') ? context.targetOf(path) : context.targetOfParameter(path)) ?? path
  },
  write(value, context) {
    const path = value.trim()
    const source = path.endsWith('.') ? context.sourcesOf(path)[0] : context.sourceOfParameter(path)
    return toSource(context, source ?? path)
  },
}

const hostSource: Transform = {
  read(raw, context) {
    if (raw.trim() !== 'DHCP') return ''
    const host = context.from.slice(0, context.from.lastIndexOf('.') + 1)
    return reference(context.targetOf(host, 'Device.DHCPv4.Server.Pool.{i}.Client.')) ?? ''
  },
}

/** The name of a codec is a reference to the row of the capabilities that has it. */
const codecRef: Transform = {
  read(raw, context) {
    const service = /^.{0,64}?\.VoiceService\.\d{1,6}\./.exec(context.from)?.[0]
    if (service === undefined) return undefined
    const table = `${service}Capabilities.Codecs.`
    const row = context.children(table).find((row) => context.raw(`${table}${row}.Codec`)?.trim() === raw.trim())
    return row === undefined ? undefined : reference(context.targetOf(`${table}${row}.`))
  },
}

/** References in values of the device's own tree: object paths, instance numbers and names of rows. */
export const REFERENCES: Theme = {
  codecRef,
  hostL1Ref,
  hostSource,
  ifRef,
  instRef,
  paramRef,
  pathRef,
  qosIfRef,
  wanConnRef,
}
