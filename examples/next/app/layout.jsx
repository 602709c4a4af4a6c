export const metadata = { title: "Shop" };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body style={{ maxWidth: "60rem", margin: "2rem auto", padding: "0 1rem", font: "1rem/1.5 system-ui" }}>{children}</body>
    </html>
  );
}
