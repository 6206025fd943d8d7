/** Floor 7: the demo, a client of the REST API that starts a server and a fleet. */
export { runDemo } from './demo.ts'
