// Who has signed up. A real application asks its database.
import { Injectable } from '@nestjs/common';

export interface Member {
  email: string;
  name: string;
  confirmed: boolean;
}

@Injectable()
export class Members {
  private readonly members = new Map<string, Member>();

  add(email: string, name: string): void {
    this.members.set(email, { email, name, confirmed: false });
  }

  find(email: string): Member | undefined {
    return this.members.get(email);
  }

  confirm(email: string): void {
    const member = this.members.get(email);
    if (member) member.confirmed = true;
  }
}
