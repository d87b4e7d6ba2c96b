// The language of the member for whom a job runs: made anew for each job, like any request-scoped provider.
import { Inject, Injectable, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import type { RunningJob } from 'nestjs-rq';

const GREETINGS: Record<string, string> = { en: 'Welcome', de: 'Willkommen', fr: 'Bienvenue' };

@Injectable({ scope: Scope.REQUEST })
export class Language {
  constructor(@Inject(REQUEST) private readonly job: Pick<RunningJob, 'meta'>) {}

  get greeting(): string {
    return GREETINGS[String(this.job.meta.language)] ?? 'Welcome';
  }
}
