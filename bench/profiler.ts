import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'

// Loaded before the server (`--import`): the first SIGUSR2 begins a profile of the CPU, the next one writes it to the
// file that BENCH_PROFILE names. Until then it costs nothing.
const file = process.env.BENCH_PROFILE ?? ''
const session = new Session()
let isRunning = false
let isConnected = false

process.on('SIGUSR2', () => {
  if (isRunning) {
    session.post('Profiler.stop', (error, result) => {
      writeFileSync(`${file}.part`, error === null ? JSON.stringify(result.profile) : '')
      writeFileSync(file, '')
    })
    isRunning = false
    return
  }
  isRunning = true
  if (!isConnected) session.connect()
  isConnected = true
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: 500 })
  session.post('Profiler.start')
})
