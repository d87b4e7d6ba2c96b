import { Body, Controller, Param, Post } from '@nestjs/common';
import { Members } from './members.js';
import { SignupService } from './signup.service.js';

@Controller('members')
export class SignupController {
  constructor(
    private readonly signups: SignupService,
    private readonly members: Members,
  ) {}

  @Post()
  async signup(@Body() body: { email: string; name: string; language?: string }): Promise<void> {
    await this.signups.signup(body.email, body.name, body.language ?? 'en');
  }

  @Post(':email/confirm')
  confirm(@Param('email') email: string): void {
    this.members.confirm(email);
  }
}
