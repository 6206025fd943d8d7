import pino from 'pino'

/** Fields of a log line; the message itself is a constant so that lines can be counted. */
export type LogFields = Record<string, unknown>

/** The log of every part. `child` adds fields to each line; `part` names the room, e.g. `usp.mtp.websocket`. */
export interface Log {
  trace(fields: LogFields, message: string): void
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  child(fields: LogFields): Log
  /** True when debug lines are written: ask before building costly fields. */
  isDebug(): boolean
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Field names whose values never reach a log line, at any depth up to two. */
const SECRET_FIELDS = [
  'password',
  'secret',
  'apiKey',
  'authorization',
  'cookie',
  'ha1',
  'connectionRequestPassword',
  'enrolmentSecret',
]

/** pino JSON lines to stdout (or a given stream), errors with stack and cause under `err`. */
export function createLog(options: { level?: LogLevel; destination?: { write(line: string): void } } = {}): Log {
  const redact = SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])
  const logger = pino(
    {
      level: options.level ?? 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: redact, censor: '[secret]' },
      serializers: { err: pino.stdSerializers.errWithCause },
    },
    options.destination ?? pino.destination({ dest: 1, sync: false, minLength: 4096 }),
  )
  if (options.destination === undefined) {
    const timer = setInterval(() => logger.flush(), 500)
    timer.unref()
  }
  return wrap(logger)
}

/** A log that writes nothing. */
export const silentLog: Log = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
  isDebug: () => false,
}

function wrap(logger: pino.Logger): Log {
  return {
    trace: (fields, message) => logger.trace(fields, message),
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(fields)),
    isDebug: () => logger.isLevelEnabled('debug'),
  }
}
