package shizi.client;

import java.net.http.HttpResponse;

/** A page as a JPEG. */
public final class Picture {
    private final byte[] data;
    private final int pages;

    private Picture(byte[] data, int pages) {
        this.data = data;
        this.pages = pages;
    }

    static Picture of(HttpResponse<byte[]> response) {
        String pages = response.headers().firstValue("X-Page-Count").orElse("");
        if (!pages.matches("\\d{1,9}")) {
            throw new ShiziException.UnexpectedAnswer(
                    "The answer does not tell the number of pages; is this the address of a shizi?", null);
        }
        return new Picture(response.body(), Integer.parseInt(pages));
    }

    public byte[] data() {
        return data.clone();
    }

    /** How many pages the document has. */
    public int pages() {
        return pages;
    }
}
