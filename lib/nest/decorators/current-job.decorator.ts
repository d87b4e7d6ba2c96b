import { RqParameterType } from '../nest-internals.js';
import { jobParameter } from './job-parameter.js';

/** Injects the job that is running: its id, attempt, signal, progress and so on. */
export const CurrentJob = (): ParameterDecorator => jobParameter(RqParameterType.JOB);
