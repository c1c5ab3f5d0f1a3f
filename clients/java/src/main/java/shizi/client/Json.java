package shizi.client;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads JSON (RFC 8259): text in, maps, lists, strings, longs, doubles, booleans and nulls out. The JDK has no JSON, and
 * a client without dependencies needs no more than this of it. Writes single strings.
 */
final class Json {
    private static final int DEEPEST = 200; // an answer has about ten levels; a hostile one must not end the stack

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** Read one value. Throws IllegalArgumentException for what is no JSON, saying where. */
    static Object parse(String text) {
        Json json = new Json(text);
        json.skipSpace();
        Object value = json.value(0);
        json.skipSpace();
        if (json.at < text.length()) {
            throw json.wrong("the end");
        }
        return value;
    }

    /** Write a string. */
    static String written(String text) {
        StringBuilder built = new StringBuilder("\"");
        for (char one : text.toCharArray()) {
            if (one == '"' || one == '\\') {
                built.append('\\').append(one);
            } else if (one < ' ') {
                built.append(String.format("\\u%04x", (int) one));
            } else {
                built.append(one);
            }
        }
        return built.append('"').toString();
    }

    private Object value(int depth) {
        if (depth > DEEPEST) {
            throw wrong("at most " + DEEPEST + " levels");
        }
        switch (peek()) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> values = new LinkedHashMap<>();
        at++;
        skipSpace();
        if (taken('}')) {
            return values;
        }
        do {
            skipSpace();
            if (peek() != '"') {
                throw wrong("a key");
            }
            String key = string();
            skipSpace();
            expect(':');
            skipSpace();
            values.put(key, value(depth + 1));
            skipSpace();
        } while (taken(','));
        expect('}');
        return Collections.unmodifiableMap(values);
    }

    private List<Object> array(int depth) {
        List<Object> values = new ArrayList<>();
        at++;
        skipSpace();
        if (taken(']')) {
            return values;
        }
        do {
            skipSpace();
            values.add(value(depth + 1));
            skipSpace();
        } while (taken(','));
        expect(']');
        return Collections.unmodifiableList(values);
    }

    private String string() {
        at++;
        int start = at;
        StringBuilder built = null; // only a string with escapes needs one
        while (peek() != '"') {
            char found = text.charAt(at++);
            if (found < ' ') {
                at--;
                throw wrong("no control character in a string");
            }
            if (found == '\\') {
                built = built == null ? new StringBuilder(text.substring(start, at - 1)) : built;
                built.append(escape());
            } else if (built != null) {
                built.append(found);
            }
        }
        at++;
        return built == null ? text.substring(start, at - 1) : built.toString();
    }

    private char escape() {
        char kind = peek();
        at++;
        switch (kind) {
            case '"':
            case '\\':
            case '/':
                return kind;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                return unit();
            default:
                at--;
                throw wrong("an escape");
        }
    }

    private char unit() {
        int value = 0;
        for (int i = 0; i < 4; i++) {
            char found = peek();
            int digit = found < 128 ? Character.digit(found, 16) : -1;
            if (digit < 0) {
                throw wrong("four hexadecimal digits");
            }
            value = value * 16 + digit;
            at++;
        }
        return (char) value;
    }

    private Object number() {
        int start = at;
        taken('-');
        if (!taken('0')) {
            digits();
        }
        boolean whole = true;
        if (taken('.')) {
            whole = false;
            digits();
        }
        if (taken('e') || taken('E')) {
            whole = false;
            if (!taken('+')) {
                taken('-');
            }
            digits();
        }
        String found = text.substring(start, at);
        if (whole && found.length() <= 18) {
            return Long.valueOf(found);
        }
        return Double.valueOf(found);
    }

    private void digits() {
        int start = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        if (at == start) {
            throw wrong("a value");
        }
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw wrong("a value");
        }
        at += word.length();
        return value;
    }

    private char peek() {
        if (at >= text.length()) {
            throw wrong("more");
        }
        return text.charAt(at);
    }

    private boolean taken(char wanted) {
        boolean there = at < text.length() && text.charAt(at) == wanted;
        at += there ? 1 : 0;
        return there;
    }

    private void expect(char wanted) {
        if (!taken(wanted)) {
            throw wrong("'" + wanted + "'");
        }
    }

    private void skipSpace() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private IllegalArgumentException wrong(String expected) {
        return new IllegalArgumentException("at character " + at + ": expected " + expected);
    }
}
