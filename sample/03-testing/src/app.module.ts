// An application whose tests need no Redis: see test/. Nothing here knows of them.
import { Module } from '@nestjs/common';
import { RqModule } from 'nestjs-rq';
import { Language } from './language.js';
import { MailJobs } from './mail.jobs.js';
import { Mailer } from './mailer.js';
import { Members } from './members.js';
import { SignupController } from './signup.controller.js';
import { SignupService } from './signup.service.js';

@Module({
  imports: [
    RqModule.forRootAsync({
      useFactory: () => ({ connection: process.env.REDIS_URL ?? 'redis://localhost:6379' }),
    }),
    RqModule.registerQueue('mail'),
  ],
  controllers: [SignupController],
  providers: [SignupService, Members, MailJobs, Mailer, Language],
})
export class AppModule {}
