import type { CpeQuirk } from './cpe-quirk.ts'
import { refusing, sending, taking, type WireValue } from './methods.ts'

const untyped = (value: WireValue) => ({ ...value, type: '' })
const asString = (value: WireValue) => ({ ...value, type: 'string' })

/** Values are sent without xsi:type, and taken with any. */
export const emptyTypes: CpeQuirk = { methods: (inner) => taking(sending(inner, untyped), untyped) }

/** Every value is sent as an xsd:string, and taken with any type. */
export const stringTypes: CpeQuirk = { methods: (inner) => taking(sending(inner, asString), untyped) }

/** Every value is sent as an xsd:string, and refused with 9006 as anything else. */
export const onlyStringTypes: CpeQuirk = {
  methods: (inner) =>
    refusing(taking(sending(inner, asString), untyped), ({ type }) => (type === 'string' ? undefined : 9006)),
}

/** Booleans are sent as these two words, and refused with 9007 as anything else. */
export function booleanWords(yes: string, no: string): CpeQuirk {
  return {
    methods(inner, { model }) {
      const isBoolean = ({ name }: WireValue) => model.find(name)?.type === 'boolean'
      const sent = sending(inner, (given) =>
        isBoolean(given) ? { ...given, value: /^(1|true)$/i.test(given.value) ? yes : no } : given,
      )
      const taken = taking(sent, (given) =>
        isBoolean(given) ? { ...given, value: String(given.value === yes) } : given,
      )
      return refusing(taken, (given) =>
        isBoolean(given) && given.value !== yes && given.value !== no ? 9007 : undefined,
      )
    },
  }
}
