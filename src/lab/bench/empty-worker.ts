/** A Worker that does nothing: what workerd costs without us. */
export default {
  fetch(): Response {
    return new Response("done");
  },
};
