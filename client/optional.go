package client

import (
	"bytes"
	"encoding/json"
)

// Optional is a field of a change (JSON Merge Patch, RFC 7396), which is one of
// three things: absent leaves the field as it is, null puts it back to its
// default, and a value replaces it. The zero Optional is absent; Set and Null
// make the others.
type Optional[T any] struct {
	state optionalState
	value T
}

type optionalState uint8

const (
	absent optionalState = iota
	null
	present
)

// Set returns a field that is given the value v.
func Set[T any](v T) Optional[T] { return Optional[T]{present, v} }

// Null returns a field that is put back to its default.
func Null[T any]() Optional[T] { return Optional[T]{state: null} }

// Get returns the value, and whether there is one.
func (o Optional[T]) Get() (T, bool) { return o.value, o.state == present }

// IsNull reports whether the field is put back to its default.
func (o Optional[T]) IsNull() bool { return o.state == null }

// IsZero reports whether the field is absent. It makes the JSON option omitzero
// leave absent fields out.
func (o Optional[T]) IsZero() bool { return o.state == absent }

// MarshalJSON writes the value, or null.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if o.state != present {
		return []byte("null"), nil
	}
	return encodeJSON(o.value)
}

// UnmarshalJSON reads a value, or null. A field that does not occur stays absent.
func (o *Optional[T]) UnmarshalJSON(data []byte) error {
	if string(bytes.TrimSpace(data)) == "null" {
		*o = Null[T]()
		return nil
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*o = Set(v)
	return nil
}

// encodeJSON writes v compactly, and HTML as it is: escaping its brackets would
// make content a third longer and help nobody.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
