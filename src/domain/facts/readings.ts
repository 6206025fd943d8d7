import { numberIn as numberInText } from '../../datamodel/index.ts'

/** Returns the number that a text holds, with a unit or a decimal comma as some devices write it. */
export function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : numberInText(text)
}

/** Returns a count; undefined for what is none. */
export function countIn(text: string | undefined): number | undefined {
  const number = numberIn(text)
  return number !== undefined && Number.isInteger(number) && number >= 0 ? number : undefined
}

/** Returns a share in percent, 0 to 100. */
export function percentIn(text: string | undefined): number | undefined {
  const number = numberIn(text)
  return number !== undefined && number >= 0 && number <= 100 ? Math.round(number) : undefined
}

/** Returns the number of a VLAN, 1 to 4094. */
export function vlanIn(text: string | undefined): number | undefined {
  const number = countIn(text)
  return number !== undefined && number >= 1 && number <= 4094 ? number : undefined
}

/** Returns a MAC address with colons and in capitals, from any notation. */
export function macIn(text: string | undefined): string | undefined {
  const digits = (text ?? '').trim().replace(/[\s:.-]/g, '')
  if (!/^[0-9a-f]{12}$/i.test(digits) || /^(0{12}|f{12})$/i.test(digits)) return undefined
  return (digits.toUpperCase().match(/../g) ?? []).join(':')
}

/** Returns an IPv4 address that is one: not unset, loopback or link-local. */
export function ipv4In(text: string | undefined): string | undefined {
  const value = (text ?? '').trim()
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(value) && !/^(0\.|127\.|169\.254\.|255\.)/.test(value) ? value : undefined
}

/** Returns true for an IPv4 address outside of the blocks of RFC 1918 and RFC 6598 (carrier NAT). */
export function isPublicIpv4(value: string): boolean {
  const [a = 0, b = 0] = value.split('.').map(Number)
  return !(
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b < 128)
  )
}

/** Returns a text of at most 256 characters; undefined for an empty one. */
export function textIn(text: string | undefined): string | undefined {
  const value = (text ?? '').trim()
  return value === '' ? undefined : value.slice(0, 256)
}
