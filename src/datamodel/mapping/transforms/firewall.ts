import { booleanIn } from '../booleans.ts'
import type { Transform, TransformContext } from '../transform.ts'
import { quoted, refusal, type Theme, toSource } from './basics.ts'

function beside(context: TransformContext, name: string): string {
  return context.to.slice(0, context.to.lastIndexOf('.') + 1) + name
}

/** TR-098 switches the firewall off by its level: TR-181 has a level and a switch, and keeps the last level. */
const firewallConfig: Transform = {
  needsPrevious: true,
  read(raw, context) {
    const level = raw.trim()
    if (level !== 'Off') return level === '' ? undefined : level
    return context.previous?.value === 'Off' ? undefined : context.previous?.value
  },
  write(value, context) {
    const shown = context.raw(context.from)?.trim()
    if (value !== 'High' && value !== 'Low' && value !== shown)
      throw refusal(context, `${quoted(value)} has no form on the device; write High or Low`)
    const enable = booleanIn(context.requested(beside(context, 'Enable')))
    if (enable === false || (shown === 'Off' && enable !== true))
      throw refusal(context, 'the firewall is off; write Enable true in the same request')
    return toSource(context, value)
  },
}

const firewallEnable: Transform = {
  read(raw) {
    const level = raw.trim()
    return level === '' ? undefined : String(level !== 'Off')
  },
  write(value, context) {
    const enable = booleanIn(value)
    if (enable === undefined) throw refusal(context, `${quoted(value)} is no boolean; write true or false`)
    if (!enable) return toSource(context, 'Off')
    const config = beside(context, 'Config')
    const shown = context.raw(context.from)?.trim()
    const level = context.requested(config) ?? (shown === 'Off' || shown === '' ? context.mapped(config) : shown)
    if (level === undefined || level === '' || level === 'Off')
      throw refusal(context, 'the level is not known; write Config High or Low in the same request')
    return toSource(context, level)
  },
}

/** The level and the switch of the firewall. */
export const FIREWALL: Theme = { firewallConfig, firewallEnable }
