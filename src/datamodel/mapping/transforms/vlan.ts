import { booleanIn, spelled } from '../booleans.ts'
import type { Transform, TransformContext } from '../transform.ts'
import { itemsOf, quoted, refusal, sibling, type Theme, toSource, wholeIn } from './basics.ts'

/** Modes of the VLAN of a link or connection: 2 is tagged, 1 and 0 are not. */
const MODES = ['Mode', 'X_CMCC_VLANMode', 'X_CT-COM_VLANMode', 'X_ALU-COM_Mode']
/** Switches of the VLAN of a connection. */
const SWITCHES = [
  'X_ZTE-COM_VLANEnable',
  'X_CU_VLANEnabled',
  'X_CT-COM_VLANEnabled',
  'X_TDTC_VLANEnabled',
  'X_RTK_VlanEnable',
  'X_FH_VLANEnable',
]
const TAGGED = '2'

function vlanIn(raw: string): string | undefined {
  const vlan = wholeIn(raw)
  return vlan === undefined || vlan < 1 || vlan > 4094 ? undefined : String(vlan)
}

function checked(value: string, context: TransformContext): string {
  const vlan = vlanIn(value)
  if (vlan === undefined) throw refusal(context, `${quoted(value)} is no VLAN; write 1 to 4094`)
  return vlan
}

/** A VLAN; 0, -1 and 4095 are none. */
const vlanId: Transform = {
  read: vlanIn,
  write: (value, context) => toSource(context, checked(value, context)),
}

/** A VLAN that counts while the mode beside it is tagged; a write sets the mode first. */
const vlanIdByMode: Transform = {
  reads: MODES,
  read(raw, context) {
    const mode = sibling(context, MODES)
    return mode !== undefined && mode.value.trim() !== '' && mode.value.trim() !== TAGGED ? undefined : vlanIn(raw)
  },
  write(value, context) {
    const id = toSource(context, checked(value, context))
    const mode = sibling(context, MODES)
    return mode === undefined ? id : [{ path: mode.path, value: TAGGED }, ...id]
  },
}

/** A VLAN that counts while the switch beside it is on; a write sets the switch first. */
const vlanIdByEnable: Transform = {
  reads: SWITCHES,
  read: (raw, context) => (booleanIn(sibling(context, SWITCHES)?.value) === false ? undefined : vlanIn(raw)),
  write(value, context) {
    const id = toSource(context, checked(value, context))
    const enable = sibling(context, SWITCHES)
    return enable === undefined ? id : [{ path: enable.path, value: spelled(true, enable.value) }, ...id]
  },
}

/** The mode of a VLAN as a switch. */
const vlanMode: Transform = {
  read(raw) {
    const mode = wholeIn(raw)
    return mode === undefined || mode < 0 || mode > 2 ? undefined : String(mode === 2)
  },
  write(value, context) {
    const enable = booleanIn(value)
    if (enable === undefined) throw refusal(context, `${quoted(value)} is no boolean; write true or false`)
    const shown = context.raw(context.from)?.trim()
    if (!enable && (shown === '0' || shown === '1')) return toSource(context, shown)
    return toSource(context, enable ? TAGGED : '1')
  },
}

/** The VLAN at the end of the name of a connection: `2_INTERNET_R_VID_100`. */
const vlanOfName: Transform = {
  read: (raw) => vlanIn(/VID_(\d{1,4})(?!\d)/.exec(raw.slice(0, 96))?.[1] ?? ''),
}

const SERVICE_NAME = /^\d{1,4}_([A-Za-z0-9_]{1,64}?)_[RB]_VID_/
const SERVICES = ['INTERNET', 'TR069', 'VOIP', 'IPTV', 'OTHER']

/** Returns the services in a list of a device: `TR069,INTERNET`, `TR069_INTERNET`, `Other`. */
function servicesIn(raw: string): string[] | undefined {
  const words = raw
    .slice(0, 128)
    .toUpperCase()
    .split(/[,_\s;/|]+/)
    .flatMap((word) => (word === 'TRN' ? ['TR069', 'INTERNET'] : word === 'VOICE' ? ['VOIP'] : [word]))
    .filter((word) => word !== '')
  return words.length > 0 && words.every((word) => SERVICES.includes(word)) ? [...new Set(words)] : undefined
}

/** The services of a connection; a write uses the separator and the spelling that the device shows. */
const serviceList: Transform = {
  read: (raw) => servicesIn(raw)?.join(','),
  write(value, context) {
    const items = itemsOf(value.toUpperCase())
    const unknown = items.find((item) => !SERVICES.includes(item))
    if (unknown !== undefined || items.length === 0)
      throw refusal(context, `${quoted(unknown ?? '')} is no service; write a list of ${SERVICES.join(', ')}`)
    const shown = context.raw(context.from)?.slice(0, 128) ?? ''
    const words = items.map((item) => (item === 'OTHER' && shown.includes('Other') ? 'Other' : item))
    return toSource(context, words.join(shown.includes('_') && !shown.includes(',') ? '_' : ','))
  },
}

/** VLANs and services of WAN connections. */
export const VLAN: Theme = {
  serviceList,
  servicesOfName: { read: (raw) => servicesIn(SERVICE_NAME.exec(raw.trim().slice(0, 96))?.[1] ?? '')?.join(',') },
  vlanOfName,
  vlanId,
  vlanIdByEnable,
  vlanIdByMode,
  vlanMode,
}
