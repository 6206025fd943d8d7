import { type CpeAnswer, CpeFault, type CpeMethods } from '../../cwmp/index.ts'

/** A value with its type, as it is sent in either direction (TR-069 A.3.2.1). */
export interface WireValue {
  name: string
  value: string
  type: string
}

/** Looks at the names or values of a request before it is answered; throws CpeFault or NoAnswer to refuse it. */
type Look<T> = (given: readonly T[]) => void | Promise<void>

/** Returns methods that look at the names of each GetParameterValues first. */
export function beforeReading(inner: CpeMethods, look: Look<string>): CpeMethods {
  return {
    ...inner,
    async answer(request) {
      if (request.name === 'GetParameterValues') await look(request.body.ParameterNames)
      return inner.answer(request)
    },
  }
}

/** Returns methods that look at the values of each SetParameterValues first. */
export function beforeSetting(inner: CpeMethods, look: Look<WireValue>): CpeMethods {
  return {
    ...inner,
    async answer(request) {
      if (request.name === 'SetParameterValues') await look(request.body.ParameterList)
      return inner.answer(request)
    },
  }
}

/** Returns methods that change each value that is sent, in answers and Informs. */
export function sending(inner: CpeMethods, change: (value: WireValue) => WireValue): CpeMethods {
  return {
    async answer(request) {
      const answer = await inner.answer(request)
      const { response } = answer
      if (response.name !== 'GetParameterValues') return answer
      return { ...answer, response: { ...response, body: { ParameterList: response.body.ParameterList.map(change) } } }
    },
    inform(facts) {
      const inform = inner.inform(facts)
      return { ...inform, ParameterList: inform.ParameterList.map(change) }
    },
  }
}

/** Returns methods that change each value of SetParameterValues before it is checked. */
export function taking(inner: CpeMethods, change: (value: WireValue) => WireValue): CpeMethods {
  return {
    ...inner,
    answer(request) {
      if (request.name !== 'SetParameterValues') return inner.answer(request)
      const { ParameterList, ParameterKey } = request.body
      return inner.answer({ ...request, body: { ParameterList: ParameterList.map(change), ParameterKey } })
    },
  }
}

/** Returns methods that refuse SetParameterValues as a whole, for each value with a fault code of its own (9003). */
export function refusing(inner: CpeMethods, codeOf: (value: WireValue) => number | undefined): CpeMethods {
  return beforeSetting(inner, (values) => {
    const faults = values.flatMap((value) => {
      const code = codeOf(value)
      return code === undefined ? [] : [{ name: value.name, code, text: 'refused' }]
    })
    if (faults.length > 0) throw new CpeFault(9003, 'Invalid arguments', faults)
  })
}

/** Returns methods whose answers to SetParameterValues that names one of these paths are changed. */
export function afterSetting(inner: CpeMethods, paths: RegExp, change: (answer: CpeAnswer) => CpeAnswer): CpeMethods {
  return {
    ...inner,
    async answer(request) {
      const answer = await inner.answer(request)
      if (request.name !== 'SetParameterValues') return answer
      return request.body.ParameterList.some(({ name }) => paths.test(name)) ? change(answer) : answer
    },
  }
}

/** Returns true for a partial path: '' or the path of an object. */
export function isPartial(name: string): boolean {
  return name === '' || name.endsWith('.')
}
