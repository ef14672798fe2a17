-- The id of an order's row, by which neighbours ask: a uuid5 of its client order id. The server has
-- no function that makes one, so the program fills in those of older rows when it opens the store.

ALTER TABLE orders ADD COLUMN row_id word;
CREATE UNIQUE INDEX orders_row_id ON orders (row_id);
CREATE INDEX orders_without_row_id ON orders (row_no) WHERE row_id IS NULL;
