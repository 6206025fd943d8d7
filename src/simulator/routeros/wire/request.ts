/** A sentence of a client by the kinds of its words. */
export interface ApiRequest {
  /** With slashes, such as `/ip/address/print`. */
  path: string
  /** `=name=value`, by name. */
  args: Map<string, string>
  /** Query words in order, without their first question mark. */
  query: string[]
  tag: string
  /** Of `.proplist`; undefined: all properties. */
  proplist: string[] | undefined
}

/** Returns the parts of a sentence; words of no kind are passed over, as routers do. */
export function readRequest(words: readonly string[]): ApiRequest {
  const request: ApiRequest = {
    path: words[0] ?? '',
    args: new Map(),
    query: [],
    tag: '',
    proplist: undefined,
  }
  for (const word of words.slice(1)) {
    if (word.startsWith('=')) {
      const end = word.indexOf('=', 1)
      const name = end === -1 ? word.slice(1) : word.slice(1, end)
      request.args.set(name, end === -1 ? '' : word.slice(end + 1))
    } else if (word.startsWith('?')) request.query.push(word.slice(1))
    else if (word.startsWith('.tag=')) request.tag = word.slice(5)
    else if (word.startsWith('.proplist=')) request.args.set('.proplist', word.slice(10))
  }
  const proplist = request.args.get('.proplist')
  if (proplist !== undefined) request.proplist = proplist === '' ? undefined : proplist.split(',')
  request.args.delete('.proplist')
  return request
}
