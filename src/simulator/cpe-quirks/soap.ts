import type { CpeQuirk } from './cpe-quirk.ts'

/** The offset of the clocks of these devices. */
const OFFSET_MS = 2 * 3_600_000
const ID = /<cwmp:ID[^>]*>([^<]*)<\/cwmp:ID>/
const HEADER = /<soap-env:Header>.*?<\/soap-env:Header>/s

/**
 * The SOAP of RouterOS: no Header at all, attributes in single quotes, the prefixes `soapenv` and `soap`, and times with
 * the offset of the device. An ACS cannot be held to an ID that it never got: its answers count as those of the request
 * before them.
 */
export const routerosSoap: CpeQuirk = {
  transport(inner) {
    let id = ''
    return {
      ...inner,
      async send(request) {
        id = ID.exec(request.body)?.[1] ?? id
        const answer = await inner.send({ ...request, body: spoken(request.body) })
        const text = answer.body.toString()
        return text === '' || /<[\w-]*:?ID[\s>]/.test(text)
          ? answer
          : { ...answer, body: Buffer.from(withId(text, id)) }
      },
    }
  },
  methods: (inner) => ({
    ...inner,
    inform(facts) {
      const local = new Date(facts.now + OFFSET_MS).toISOString().replace(/\.\d+Z$/, '+02:00')
      return { ...inner.inform(facts), CurrentTime: local }
    },
  }),
}

/** Returns an envelope in the form of these devices. */
function spoken(body: string): string {
  return body
    .replace(HEADER, '')
    .replace(/<[^>]*>/g, (tag) => tag.replace(/="([^"]*)"/g, "='$1'"))
    .replace(/(<\/?|xmlns:)soap-env\b/g, '$1soapenv')
    .replace(/xmlns:soap-enc\b|\bsoap-enc:/g, (name) => name.replace('soap-enc', 'soap'))
}

/** Returns an answer with the ID that the client above the connection waits for. */
function withId(text: string, id: string): string {
  const element = `<c:ID xmlns:c="urn:dslforum-org:cwmp-1-0">${id}</c:ID>`
  const header = /<([\w-]+:)?Header\s*(\/?)>/.exec(text)
  if (header !== null) {
    const [tag, prefix = '', isEmpty] = header
    return text.replace(tag, isEmpty === '' ? tag + element : `<${prefix}Header>${element}</${prefix}Header>`)
  }
  return text.replace(
    /<([\w-]+:)?Envelope\b[^>]*>/,
    (tag, prefix = '') => `${tag}<${prefix}Header>${element}</${prefix}Header>`,
  )
}

/** TransferComplete has an empty CommandKey: only the event `M Download` of its Inform has it. */
export const keyOnEventAlone: CpeQuirk = {
  transport: (inner) => ({
    ...inner,
    send: (request) =>
      inner.send(
        request.body.includes('<cwmp:TransferComplete>')
          ? { ...request, body: request.body.replace(/<CommandKey>[^<]*<\/CommandKey>/, '<CommandKey></CommandKey>') }
          : request,
      ),
  }),
}
