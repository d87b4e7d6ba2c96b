import { RqParameterType } from '../constants.js';
import { jobParameter, type ParameterPipe } from './job-parameter.js';

/**
 * Injects the job's data, or one property of it. Pipes apply, those given here and those of the method.
 *
 * @example
 * resize(@JobData() image: ImageDto, @JobData('width', ParseIntPipe) width: number) {}
 */
export function JobData(...pipes: ParameterPipe[]): ParameterDecorator;
export function JobData(property: string, ...pipes: ParameterPipe[]): ParameterDecorator;
export function JobData(
  first?: string | ParameterPipe,
  ...pipes: ParameterPipe[]
): ParameterDecorator {
  if (typeof first === 'string') return jobParameter(RqParameterType.DATA, first, pipes);
  return jobParameter(RqParameterType.DATA, undefined, first ? [first, ...pipes] : pipes);
}
