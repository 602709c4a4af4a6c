import { headers } from "next/headers";
import { PAGE_SIZE, searchProducts } from "../search.mjs";

export default async function Page({ searchParams }) {
  const { q = "red mug", page: given = "1" } = await searchParams;
  const page = Math.max(1, Number(given) || 1);
  const { total, products, outcome } = await searchProducts(q, page, await headers());
  return (
    <main>
      <form>
        <label>
          Search products <input type="search" name="q" defaultValue={q} />
        </label>
      </form>
      <p>
        {total} products, {outcome}
      </p>
      <ol>
        {products.map(({ id, title }) => (
          <li key={id} data-id={id}>
            {title}
          </li>
        ))}
      </ol>
      {page * PAGE_SIZE < total && <a href={`?q=${encodeURIComponent(q)}&page=${page + 1}`}>Next page</a>}
    </main>
  );
}
