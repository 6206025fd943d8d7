import type { Transform, TransformContext } from '../transform.ts'
import { quoted, refusal, type Theme, toSource } from './basics.ts'

const BRIDGING = 'InternetGatewayDevice.Layer2Bridging.'
const INTERFACES = `${BRIDGING}AvailableInterface.`
const BRIDGES = `${BRIDGING}Bridge.`
const PORTS = 'Device.Bridging.Bridge.{i}.Port.'
/** The tables in which the interface of a bridge port may be, in the order in which they are asked. */
const LAYERS = ['Ethernet.Interface.', 'WiFi.SSID.', 'USB.Interface.']
/** The same for a link or a connection of a WANDevice. */
const WAN_LAYERS = ['Ethernet.Link.', 'ATM.Link.', 'PTM.Link.']

function bare(row: string | undefined): string | undefined {
  return row?.endsWith('.') ? row.slice(0, -1) : row
}

/** Returns the object path of a value, with its dot. */
function objectIn(text: string): string {
  const path = text.trim()
  return path === '' || path.endsWith('.') ? path : `${path}.`
}

/** Returns the objects of AvailableInterface rows by their keys; of two rows with one key the first. */
function available(context: TransformContext): ReadonlyMap<string, string> {
  return context.once('bridging.available', () => {
    const found = new Map<string, string>()
    for (const row of context.children(INTERFACES)) {
      const key = context.raw(`${INTERFACES}${row}.AvailableInterfaceKey`)?.trim()
      const object = objectIn(context.raw(`${INTERFACES}${row}.InterfaceReference`) ?? '')
      if (key !== undefined && object !== '' && !found.has(key)) found.set(key, object)
    }
    return found
  })
}

/** Returns the TR-181 interface that an object of the device is as the lower layer of a bridge port. */
function layerOf(object: string, context: TransformContext): string | undefined {
  for (const table of object.includes('.WANConnectionDevice.') ? WAN_LAYERS : LAYERS) {
    const row = context.targetOf(object, `Device.${table}`)
    if (row !== undefined) return bare(row)
  }
  return undefined
}

const bridgeIfRef: Transform = {
  read(raw, context) {
    const key = raw.trim()
    if (key === '') return ''
    const object = available(context).get(key)
    return object === undefined ? undefined : layerOf(object, context)
  },
  write(value, context) {
    const wanted = bare(value.trim())
    if (wanted === '') return toSource(context, '')
    for (const [key, object] of available(context))
      if (layerOf(object, context) === wanted) return toSource(context, key)
    throw refusal(context, `${quoted(value)} is no interface that the device can bridge`)
  },
}

/** Returns the Layer2Bridging ports, with the key of the interface of each. */
function ports(context: TransformContext): { key: string; object: string }[] {
  return context.children(BRIDGES).flatMap((bridge) => {
    const table = `${BRIDGES}${bridge}.Port.`
    return context.children(table).flatMap((port) => {
      const key = context.raw(`${table}${port}.PortInterface`)?.trim()
      return key === undefined ? [] : [{ key, object: `${table}${port}.` }]
    })
  })
}

/** Returns the bridge port over the interface with each key; a port of a real bridge before one that follows from it. */
function portsByKey(context: TransformContext): ReadonlyMap<string, string> {
  return context.once('bridging.ports', () => {
    const found = new Map<string, string>()
    const add = (key: string, object: string) => {
      const row = found.has(key) ? undefined : bare(context.targetOf(object, PORTS))
      if (row !== undefined) found.set(key, row)
    }
    for (const { key, object } of ports(context)) add(key, object)
    for (const [key, object] of available(context)) add(key, object)
    return found
  })
}

const filterIf: Transform = {
  read(raw, context) {
    const key = raw.trim()
    // AllInterfaces, LANInterfaces and WANInterfaces have no place in TR-181.
    return key === '' ? '' : portsByKey(context).get(key)
  },
  write(value, context) {
    const wanted = bare(value.trim())
    if (wanted === '') return toSource(context, '')
    const key = [...portsByKey(context)].find(([, row]) => row === wanted)?.[0]
    if (key === undefined) throw refusal(context, `${quoted(value)} is no bridge port that the device has`)
    return toSource(context, key)
  },
}

/** Returns the numbers of bridges by their keys; of two with one key the first. */
function bridgesByKey(context: TransformContext): ReadonlyMap<string, string> {
  return context.once('bridging.bridges', () => {
    const found = new Map<string, string>()
    for (const row of context.children(BRIDGES)) {
      const key = context.raw(`${BRIDGES}${row}.BridgeKey`)?.trim()
      if (key !== undefined && !found.has(key)) found.set(key, row)
    }
    return found
  })
}

const bridgeKeyRef: Transform = {
  read(raw, context) {
    const key = raw.trim()
    if (key === '' || key === '-1') return ''
    const row = bridgesByKey(context).get(key)
    return row === undefined ? undefined : bare(context.targetOf(`${BRIDGES}${row}.`))
  },
  write(value, context) {
    const wanted = bare(value.trim())
    if (wanted === '') return toSource(context, '-1')
    const row = context.children(BRIDGES).find((row) => bare(context.targetOf(`${BRIDGES}${row}.`)) === wanted)
    const key = row === undefined ? undefined : context.raw(`${BRIDGES}${row}.BridgeKey`)
    if (key === undefined) throw refusal(context, `${quoted(value)} is no bridge that the device has`)
    return toSource(context, key)
  },
}

/** References of Layer2Bridging, which hold keys of rows and not their paths. */
export const BRIDGING_REFERENCES: Theme = { bridgeIfRef, bridgeKeyRef, filterIf }
