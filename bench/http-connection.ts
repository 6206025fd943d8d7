import { connect, type Socket } from 'node:net'

export interface HttpAnswer {
  status: number
  head: string
  body: string
}

/**
 * One keep-alive connection that sends prepared bytes and reads one answer at a time: as little work on the load's side
 * as can be.
 */
export class HttpConnection {
  readonly #socket: Socket
  #text = ''
  #waiting: { resolve(answer: HttpAnswer): void; reject(error: Error): void } | undefined

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (data) => {
      this.#text += data.toString('latin1')
      this.#deliver()
    })
    const fail = () => this.#waiting?.reject(new Error('connection closed before the answer'))
    this.#socket.on('error', fail)
    this.#socket.on('close', fail)
  }

  send(bytes: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(bytes)
    })
  }

  close(): void {
    this.#waiting = undefined
    this.#socket.destroy()
  }

  #deliver(): void {
    const end = this.#text.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#text.slice(0, end)
    const match = /content-length: *(\d+)/i.exec(head)
    const status = Number(head.slice(9, 12))
    let length = Number(match?.[1] ?? 0)
    if (match === null && /transfer-encoding: *chunked/i.test(head)) {
      const tail = this.#text.indexOf('\r\n0\r\n\r\n', end)
      if (tail < 0) return
      length = tail + 7 - (end + 4)
    }
    if (this.#text.length < end + 4 + length) return
    const body = this.#text.slice(end + 4, end + 4 + length)
    this.#text = this.#text.slice(end + 4 + length)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve({ status, head, body })
  }
}
