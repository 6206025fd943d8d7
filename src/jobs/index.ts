/** Floor 3: recurring work, once over all instances. The one door to agenda. */
export { createJobQueue } from './job-queue.ts'
