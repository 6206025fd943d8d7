import fc from 'fast-check'
import type { RouterCommand } from '../../src/routeros/index.ts'

/**
 * Menus and commands that no bridge may name, written down apart from the table of the bridge: code, users, keys,
 * files, other ways out of the router.
 */
const NEVER_PATHS = [
  /^\/system\/(script|scheduler|ssh|telnet|shutdown|console)/,
  /^\/(execute|import|export|password|user|user-manager|certificate|container|app|disk|task|console|radius)\b/,
  /^\/file\/(?!print$)/,
  /^\/tool\/(sniffer|bandwidth-test|traffic-generator|e-mail|sms)/,
  /^\/system\/(device-mode|license)\/(?!print$)/,
  /^\/system\/package\/(uninstall|downgrade|disable|enable)/,
  /^\/interface\/lte\/(at-chat|esim)/,
  /^\/ip\/ssh/,
  /^\/ip\/service\/(?!print$)/,
  /^\/ppp\/secret/,
  /\/export$/,
]
/** Properties that are code. */
const NEVER_PROPERTIES = /script|^on-(?!interface$)|^source$|^run-after-reset$/
/** Properties that are secret: they may be written, and are never asked for. */
const NEVER_READ = /password|passphrase|pre-shared-key|private-key|secret|community|(^|[-.])pin$/

/** Returns the reason why a command may not reach a router; undefined when it may. */
export function forbidden({ path, args = {}, proplist = [], query = [] }: RouterCommand): string | undefined {
  if (!/^(\/[a-z0-9-]+)+$/.test(path)) return `path ${JSON.stringify(path)}`
  if (NEVER_PATHS.some((never) => never.test(path))) return `command ${path}`
  for (const [name, value] of Object.entries(args)) {
    if (!/^[a-z0-9.-]+$/.test(name) || NEVER_PROPERTIES.test(name)) return `attribute ${JSON.stringify(name)}`
    if (['.id', 'numbers'].includes(name)) {
      if (!/^\*[0-9A-F]+(,\*[0-9A-F]+)*$/.test(value)) return `row ${JSON.stringify(value)}`
    } else if (/[\x00-\x1f\x7f]/.test(value) || Buffer.byteLength(value) > 255) return `value of ${name}`
  }
  for (const name of proplist)
    if (!/^[a-z0-9.-]+$/.test(name) || NEVER_PROPERTIES.test(name) || NEVER_READ.test(name)) return `property ${name}`
  for (const word of query) if (/[\x00-\x1f\x7f]/.test(word)) return `query ${JSON.stringify(word)}`
  return undefined
}

/** Texts that mean something to a router, or to a careless builder of words. */
const WORDS = [
  '',
  '/system/script/add',
  '/system/reboot',
  '=name=x',
  '=.id=*1',
  '.tag=1',
  '?type=ether',
  '#|',
  'source',
  'on-up',
  ':execute "/user add"',
  '[/system reboot]',
  '; /system reboot',
  '$password',
  '"',
  '\\',
  '\n/system/reboot',
  '\u0000',
  '\u007f',
  '\u0080',
  'ä'.repeat(200),
  '\ud800',
  '*1',
  '*1a',
  '*FFFFFFFFFFFFFFFFF',
  '127.0.0.1',
  '1.2.3.4/33',
  '0',
  '-1',
  '1e3',
  'yes',
  'true',
  '__proto__',
  'constructor',
  'toString',
  'x'.repeat(256),
]

/** Texts of a caller who means harm. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom(...WORDS), weight: 4 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 40 }), weight: 2 },
  { arbitrary: fc.tuple(fc.constantFrom(...WORDS), fc.constantFrom(...WORDS)).map(([a, b]) => a + b), weight: 2 },
  { arbitrary: fc.ipV4(), weight: 1 },
  { arbitrary: fc.integer({ min: -2, max: 70000 }).map(String), weight: 1 },
)
