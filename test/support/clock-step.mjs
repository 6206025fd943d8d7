// Loaded before a server, with `--import`: its wall clock is moved by messages `{ type: 'clockStep', ms }`, and by CLOCK_STEP_MS from the start.
let stepMs = Number(process.env.CLOCK_STEP_MS ?? 0)
const System = Date

class SteppedDate extends System {
  constructor(...parts) {
    if (parts.length === 0) super(System.now() + stepMs)
    else super(...parts)
  }

  static now() {
    return System.now() + stepMs
  }
}

globalThis.Date = SteppedDate
process.on('message', (message) => {
  if (message?.type !== 'clockStep') return
  stepMs += message.ms
  process.send?.({ type: 'clockStepped' })
})
