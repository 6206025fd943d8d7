import { booleanIn, spelled } from '../booleans.ts'
import type { Transform, TransformContext } from '../transform.ts'
import { itemsOf, leafOf, objectOf, quoted, refusal, type Theme, toSource } from './basics.ts'

/** Returns the separator that a list of the device uses. */
function separatorOf(shown: string | undefined): string {
  return shown?.includes(', ') ? ', ' : ','
}

const listSelf: Transform = {
  read: (raw) => itemsOf(raw).join(','),
  write(value, context) {
    return toSource(context, itemsOf(value).join(separatorOf(context.raw(context.from))))
  },
}

/** Returns a MAC address in colon form; undefined when the text is none. */
function macOf(text: string): string | undefined {
  const digits = text.trim().replace(/[:.-]/g, '')
  if (text.length > 32 || !/^[0-9A-Fa-f]{12}$/.test(digits)) return undefined
  return (digits.match(/../g) ?? []).join(':')
}

const macList: Transform = {
  read(raw) {
    const macs = itemsOf(raw).map(macOf)
    return macs.filter((mac) => mac !== undefined).join(',')
  },
  write(value, context) {
    const macs = itemsOf(value).map((item) => {
      const mac = macOf(item)
      if (mac === undefined) throw refusal(context, `${quoted(item)} is no MAC address`)
      return mac
    })
    return toSource(context, macs.join(separatorOf(context.raw(context.from))))
  },
}

/** Items of a list of addresses that are addresses. */
function addressesOf(raw: string | undefined): string[] {
  return itemsOf(raw ?? '').filter((item) => item !== '0.0.0.0' && item !== '::')
}

/** One item of a list of DNS servers, by its position; a write puts the item into the list of its owner. */
const splitList: Transform = {
  merges: true,
  reads: ['DNSOverrideAllowed'],
  read(raw, context) {
    return addressesOf(raw)[context.position]
  },
  write(value, context) {
    const items = addressesOf(context.raw(context.from))
    const at = Math.min(context.position, items.length)
    const wanted = value.trim()
    if (wanted.includes(',')) throw refusal(context, 'it takes one server; write each server to its own row')
    items.splice(at, 1, ...(wanted === '' ? [] : [wanted]))
    const list = toSource(context, items.join(separatorOf(context.raw(context.from))))
    // Without this the next lease replaces the servers.
    const override = `${objectOf(context)}DNSOverrideAllowed`
    const allowed = context.raw(override)
    if (allowed === undefined || booleanIn(allowed) === false) return list
    return [...list, { path: override, value: spelled(false, allowed) }]
  },
}

const SLOTS = [1, 2, 3, 4, 5].map((slot) => `NTPServer${slot}`)

/** Returns the servers of all slots that the device has, with the path of each. */
function slotsOf(context: TransformContext): { path: string; value: string }[] {
  return SLOTS.flatMap((name) => {
    const path = objectOf(context) + name
    const value = context.raw(path)
    return value === undefined ? [] : [{ path, value: value.trim() }]
  })
}

/** NTPServer1 to NTPServer5 are the items of one list: every slot reads as the whole list, a write fills all slots. */
const ntpSlot: Transform = {
  reads: SLOTS,
  read(raw, context) {
    const slots = slotsOf(context)
    const values = slots.length === 0 ? [raw] : slots.map(({ value }) => value)
    return values.flatMap(addressesOf).join(',')
  },
  write(value, context) {
    const servers = itemsOf(value)
    const shown = slotsOf(context)
    const slots = shown.length === 0 ? [{ path: objectOf(context) + leafOf(context), value: '' }] : shown
    if (servers.length > slots.length)
      throw refusal(context, `the device takes ${slots.length} servers, not ${servers.length}; write a shorter list`)
    return slots.map(({ path }, slot) => ({ path, value: servers[slot] ?? '' }))
  },
}

const WPS_METHODS: readonly (readonly [string, string])[] = [['Keypad', 'PIN']]

/** WPS methods: TR-181 calls the keypad PIN, and has a physical and a virtual form of some that read as they are. */
const wpsMethods: Transform = {
  read(raw) {
    return itemsOf(raw)
      .map((item) => WPS_METHODS.find(([own]) => own === item)?.[1] ?? item)
      .join(',')
  },
  write(value, context) {
    const words = itemsOf(value).map((item) => WPS_METHODS.find(([, mapped]) => mapped === item)?.[0] ?? item)
    return toSource(context, words.join(separatorOf(context.raw(context.from))))
  },
}

/** Comma separated lists: trimmed, split into rows, and spread over numbered parameters. */
export const LISTS: Theme = { listSelf, macList, ntpSlot, splitList, wpsMethods }
