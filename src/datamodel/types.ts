/** The base types of TR-106 (Table 4), without facets. */
export const BASE_TYPES = [
  'string',
  'boolean',
  'int',
  'unsignedInt',
  'long',
  'unsignedLong',
  'dateTime',
  'base64',
  'hexBinary',
  'decimal',
] as const
export type BaseType = (typeof BASE_TYPES)[number]

interface TypeRow {
  /** Returns the reason for which the text is no value of the type; undefined when it is one. */
  check(text: string): string | undefined
  /** The one form under which equal values are equal text. */
  canonical(text: string): string
}

const same = (text: string) => text

function whole(name: string, min: bigint, max: bigint): TypeRow {
  return {
    check(text) {
      if (!/^[+-]?\d{1,30}$/.test(text.trim())) return `is no ${name}`
      const value = BigInt(text.trim().replace(/^\+/, ''))
      return value < min || value > max ? `is outside ${name} (${min} to ${max})` : undefined
    },
    canonical: (text) => (/^[+-]?\d{1,30}$/.test(text.trim()) ? String(BigInt(text.trim().replace(/^\+/, ''))) : text),
  }
}

/** Returns true when day and time exist; JavaScript accepts the 30th of February as the 1st of March. */
function isOnCalendar(text: string): boolean {
  const zoned = /(Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`
  const local = new Date(`${text.slice(0, 19)}Z`)
  return !Number.isNaN(Date.parse(zoned)) && local.getUTCDate() === Number(text.slice(8, 10))
}

const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?$/

/** One row per type: how its text is checked and compared. */
const TYPES: Record<BaseType, TypeRow> = {
  string: { check: () => undefined, canonical: same },
  boolean: {
    check: (text) => (/^(1|0|true|false)$/i.test(text) ? undefined : 'is no boolean (true, false, 1, 0)'),
    canonical: (text) => (/^(1|true)$/i.test(text) ? 'true' : /^(0|false)$/i.test(text) ? 'false' : text),
  },
  int: whole('int', -(2n ** 31n), 2n ** 31n - 1n),
  unsignedInt: whole('unsignedInt', 0n, 2n ** 32n - 1n),
  long: whole('long', -(2n ** 63n), 2n ** 63n - 1n),
  unsignedLong: whole('unsignedLong', 0n, 2n ** 64n - 1n),
  dateTime: {
    check: (text) => (DATE_TIME.test(text) && isOnCalendar(text) ? undefined : 'is no dateTime (ISO 8601)'),
    canonical(text) {
      if (!DATE_TIME.test(text)) return text
      // No zone means UTC (TR-106 3.2.1); year 1 is a length of time, which Date would shift.
      const time = Date.parse(/(Z|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`)
      return text.startsWith('0001') || Number.isNaN(time)
        ? text.replace(/\.0+(?=Z|$)/, '')
        : new Date(time).toISOString()
    },
  },
  base64: {
    check(text) {
      const bare = text.replace(/\s+/g, '')
      return /^[A-Za-z0-9+/]*={0,2}$/.test(bare) && bare.length % 4 === 0 ? undefined : 'is no base64'
    },
    canonical: (text) => text.replace(/\s+/g, ''),
  },
  hexBinary: {
    check: (text) => (/^([0-9A-Fa-f]{2})*$/.test(text) ? undefined : 'is no hexBinary (pairs of hex digits)'),
    canonical: (text) => text.toUpperCase(),
  },
  decimal: {
    check: (text) => (/^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(text.trim()) ? undefined : 'is no decimal'),
    canonical(text) {
      const [, sign = '', whole = '', rest = ''] = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text.trim()) ?? []
      if (whole === '' && rest === '') return text
      const value = `${whole.replace(/^0+(?=\d)/, '') || '0'}.${rest.replace(/0+$/, '')}`.replace(/\.$/, '')
      return sign === '-' && /[1-9]/.test(value) ? `-${value}` : value
    },
  },
}

/** Returns the reason for which `text` is no value of the base type; undefined when it is one. */
export function checkType(type: BaseType, text: string): string | undefined {
  return TYPES[type].check(text)
}

/**
 * Returns true when two texts are the same value of a type: 1 and true, 007 and 7, ab and AB as hexBinary. Unknown
 * types compare as text.
 */
export function sameValue(type: string, a: string, b: string): boolean {
  if (a === b) return true
  const row = isBaseType(type) ? TYPES[type] : undefined
  return row !== undefined && row.canonical(a) === row.canonical(b)
}

export function isBaseType(name: string): name is BaseType {
  return (BASE_TYPES as readonly string[]).includes(name)
}
