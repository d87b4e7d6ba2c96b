// Our customers, as a database would know them.
import { Injectable } from '@nestjs/common';

export interface Tenant {
  name: string;
  currency: string;
  isActive: boolean;
}

@Injectable()
export class Tenants {
  private readonly all: Tenant[] = [
    { name: 'acme', currency: 'EUR', isActive: true },
    { name: 'globex', currency: 'USD', isActive: true },
    { name: 'initech', currency: 'USD', isActive: false },
  ];

  find(name: string): Tenant | undefined {
    return this.all.find((tenant) => tenant.name === name);
  }
}
