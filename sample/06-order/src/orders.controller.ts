// POST places an order, PUT .../card gives it another card, PUT .../restock/ARTICLE tells that an article is there again,
// GET tells how far it is.
import { Body, Controller, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { OrdersService } from './orders.service.js';

@Controller('orders')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Post()
  @HttpCode(202)
  async place(@Body() body: { articles: string[]; cents: number; card: string }) {
    const { articles, cents, card } = body;
    const id = randomUUID();
    await this.orders.place({ id, articles, cents }, card);
    return { id, see: `/orders/${id}` };
  }

  @Put(':id/card')
  @HttpCode(202)
  async card(@Param('id') id: string, @Body() { card }: { card: string }) {
    await this.orders.payWith(id, card);
    return { see: `/orders/${id}` };
  }

  @Put(':id/restock/:article')
  @HttpCode(202)
  async restock(@Param('id') id: string, @Param('article') article: string) {
    await this.orders.restock(id, article);
    return { see: `/orders/${id}` };
  }

  @Get(':id')
  look(@Param('id') id: string) {
    return this.orders.look(id);
  }
}
