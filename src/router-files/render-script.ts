import { isIP } from 'node:net'
import { AppError } from '../base/index.ts'
import { quoted } from './quoted.ts'
import { type ScriptStep, type ScriptTemplate, type StepValue, type StepValues, scriptParameters } from './template.ts'
import { type RouterVersion, routerVersion } from './version.ts'

/** Policies of a group of users; RouterOS 6 has no `rest-api`. */
const POLICIES =
  'local telnet ssh ftp reboot read write policy test winbox password web sniff sensitive api romon rest-api'.split(' ')
/** A word that needs no quotation marks. */
const PLAIN_WORD = /^[a-z0-9][a-z0-9.,:-]*$/

/** The values of the parameters and the version of the router, for the steps. */
interface Filling {
  values: Readonly<Record<string, string>>
  version: RouterVersion
}

/**
 * Returns the script of a template for a router of a version. AppError `invalid` for parameters that the template does
 * not take, and for a version that is unknown. Repeating the script has no second effect. `mask` is written in place of
 * secrets, for a script that is shown to people.
 */
export function renderScript(
  template: ScriptTemplate,
  given: Readonly<Record<string, string>>,
  softwareVersion: string | undefined,
  mask?: string,
): string {
  const { values, bad } = scriptParameters(template, given)
  const [first] = bad
  if (first !== undefined) {
    const reason = bad.map(({ name, reason: text }) => `${name} ${text}`).join('; ')
    throw new AppError('invalid', reason.slice(0, 1000), { context: { path: first.name.slice(0, 64), reason } })
  }
  const version = routerVersion(softwareVersion)
  if (version === undefined)
    throw new AppError(
      'invalid',
      'the version of RouterOS is not known: read Device.DeviceInfo.SoftwareVersion, then ask again',
    )
  if (mask !== undefined)
    for (const [name, { secret }] of Object.entries(template.parameters))
      if (secret === true && name in values) values[name] = mask
  const lines = template.steps.flatMap((step) => linesOf(step, { values, version }))
  return `${[`# ${template.name}`, ...lines].join('\n')}\n`
}

function linesOf(step: ScriptStep, filling: Filling): string[] {
  const { major } = filling.version
  if (step.from !== undefined && major < step.from) return []
  if (step.before !== undefined && major >= step.before) return []
  if (step.if !== undefined && filling.values[step.if] !== 'yes') return []
  const { each } = step
  if (each === undefined) return [lineOf(step, filling)]
  return itemsOf(filling.values[each]).map((item) =>
    lineOf(step, { ...filling, values: { ...filling.values, [each]: item } }),
  )
}

function lineOf(step: ScriptStep, filling: Filling): string {
  const { menu } = step
  const words = (values: StepValues) => wordsOf(values, filling)
  switch (step.kind) {
    case 'set':
      return [menu, 'set', ...words(step.values)].join(' ')
    case 'setRow':
      return [menu, 'set', found(step.key, filling), ...words(step.values)].join(' ')
    case 'remove':
      return [menu, 'remove', found(step.key, filling)].join(' ')
    case 'ensure': {
      const rest = words(step.values)
      const otherwise = rest.length === 0 ? '' : ` else={${[menu, 'set', found(step.key, filling), ...rest].join(' ')}}`
      return `${unlessFound(menu, step.key, filling)} do={${[menu, 'add', ...words(step.key), ...rest].join(' ')}}${otherwise}`
    }
    case 'create': {
      const adds = [menu, 'add', ...words(step.key), ...words(step.values)].join(' ')
      const then = step.command === undefined ? '' : `; ${menu} ${step.command} ${found(step.key, filling)}`
      return `${unlessFound(menu, step.key, filling)} do={${adds}${then}}`
    }
  }
}

function unlessFound(menu: string, key: StepValues, filling: Filling): string {
  return `:if ([:len [${[menu, 'find', ...wordsOf(key, filling)].join(' ')}]] = 0)`
}

function found(key: StepValues, filling: Filling): string {
  return `[${['find', ...wordsOf(key, filling)].join(' ')}]`
}

/** Properties with their values; one whose parameter was left out is left out, too. */
function wordsOf(values: StepValues, filling: Filling): string[] {
  return Object.entries(values).flatMap(([property, value]) => {
    const text = textOf(value, filling)
    return text === undefined ? [] : [`${property}=${text}`]
  })
}

function textOf(value: StepValue, { values, version }: Filling): string | undefined {
  if (typeof value === 'string') return PLAIN_WORD.test(value) ? value : quoted(value)
  const given = values[value.of]
  if (given === undefined) return undefined
  const items = itemsOf(given)
  switch (value.as) {
    case 'date':
      return quoted(version.writeDay(given))
    case 'policies':
      return quoted(policies(items, version))
    case 'names':
      return quoted(items.filter((item) => isIP(item) === 0).join(','))
    case 'address':
      return quoted(items.filter((item) => isIP(item) !== 0)[value.at] ?? '0.0.0.0')
    default:
      return quoted(given)
  }
}

/** All policies, with `!` before those that are not granted: what is not named stays as it is. */
function policies(granted: readonly string[], { major }: RouterVersion): string {
  return POLICIES.filter((policy) => major >= 7 || policy !== 'rest-api')
    .map((policy) => (granted.includes(policy) ? policy : `!${policy}`))
    .join(',')
}

function itemsOf(list = ''): string[] {
  return list === '' ? [] : list.split(',')
}
