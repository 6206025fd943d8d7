import type { Transform, TransformContext } from '../transform.ts'
import { quoted, refusal, type Theme, toSource } from './basics.ts'

const WIDTHS = ['Auto', '20MHz', '40MHz', '80MHz', '160MHz'] as const
type Width = (typeof WIDTHS)[number]

/** Returns the transform of codes for automatic, 20, 40, 80 and 160 MHz, in this order; undefined where it has none. */
function codes(...words: readonly (string | undefined)[]): Transform {
  const rows = WIDTHS.map((width, at) => ({ width, word: words[at] })).filter(({ word }) => word !== undefined)
  return {
    read: (raw) => rows.find(({ word }) => word?.toLowerCase() === raw.trim().slice(0, 32).toLowerCase())?.width,
    write(value, context) {
      const word = rows.find(({ width }) => width === value)?.word
      if (word === undefined)
        throw refusal(
          context,
          `${quoted(value)} has no form on the device; write one of ${rows.map(({ width }) => width).join(', ')}`,
        )
      return toSource(context, word)
    },
  }
}

const TEXT = /^(?:auto[0-9m]{0,16}|(20|40|80|160)(?: ?m(?:hz)?)?)$/i

/** Codes of the families that have digits where others have text. */
const FAMILY_CODES: Readonly<Record<string, Transform>> = {
  huawei: codes('0', '1', '2', '3', '4'),
  fiberhome: codes('0', '1', '2', '3'),
  nokia: codes('2', '0', '1', '3'),
  cmcc: codes('2', '0', '1', '3'),
  'ct-com': codes('2', '0', '1', '3'),
}

function widthIn(raw: string): Width | undefined {
  const [match, digits] = TEXT.exec(raw.trim().slice(0, 24)) ?? []
  if (match === undefined) return undefined
  return digits === undefined ? 'Auto' : WIDTHS.find((width) => width === `${digits}MHz`)
}

/** Returns the codes of the family of the device where it shows a single digit. */
function codesOf({ family }: TransformContext, raw: string | undefined): Transform | undefined {
  return family === undefined || raw === undefined || !/^\s?\d\s?$/.test(raw) ? undefined : FAMILY_CODES[family]
}

/** Returns the transform of text: any spelling of the unit reads, and a write uses the one that the device shows. */
function text(unit: string, auto: (context: TransformContext) => string): Transform {
  return {
    read: (raw, context) => codesOf(context, raw)?.read(raw, context) ?? widthIn(raw),
    write(value, context) {
      const shown = context.raw(context.from)?.trim().slice(0, 24) ?? ''
      const coded = codesOf(context, shown)?.write?.(value, context)
      if (coded !== undefined) return coded
      if (value === 'Auto') return toSource(context, /^auto/i.test(shown) ? shown : auto(context))
      const width = WIDTHS.find((width) => width === value)
      if (width === undefined)
        throw refusal(context, `${quoted(value)} has no form on the device; write one of ${WIDTHS.join(', ')}`)
      const own = /^\d+( ?m(?:hz)?)$/i.exec(shown)?.[1] ?? unit
      return toSource(context, width.replace('MHz', own))
    },
  }
}

const AUTO_4 = codes('4', '0', '1', '3')

/** The channel width in the words and codes of devices; the digits of a name are its codes for WIDTHS, `x` is none. */
export const CHANNEL_WIDTHS: Theme = {
  wlanWidth: text('MHz', () => 'Auto'),
  wlanWidthShort: text('M', () => 'Auto'),
  // The second radio has 80 MHz.
  wlanWidthAuto: text('M', ({ from }) => (/Radio\.2\./.test(from) ? 'Auto20M40M80M' : 'Auto20M40M')),
  wlanWidth01234: codes('0', '1', '2', '3', '4'),
  wlanWidth0123x: codes('0', '1', '2', '3'),
  wlanWidth2013x: codes('2', '0', '1', '3'),
  wlanWidth3124x: codes('3', '1', '2', '4'),
  // 2 is automatic, too, on the radio of 2.4 GHz.
  wlanWidth4013x: { ...AUTO_4, read: (raw, context) => (raw.trim() === '2' ? 'Auto' : AUTO_4.read(raw, context)) },
  wlanWidthx012x: codes(undefined, '0', '1', '2'),
  wlanWidthx013x: codes(undefined, '0', '1', '3'),
  wlanWidthDlink: codes('20/40MHz Coexistent', '20MHz', '20/40MHz', '20/40/80MHz'),
}
