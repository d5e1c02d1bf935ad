package auth

import (
	"strings"

	"github.com/stepsies/stepsies"
)

// ParseBearer returns the key of a request's Authorization headers. There must be
// exactly one header, the scheme Bearer in any case (RFC 9110 §11.1), one or more
// spaces and a key (RFC 6750 §2.1).
func ParseBearer(headers []string) (stepsies.Secret, bool) {
	if len(headers) != 1 {
		return stepsies.Secret{}, false
	}
	scheme, rest, ok := strings.Cut(headers[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return stepsies.Secret{}, false
	}
	return stepsies.ParseSecret(strings.TrimLeft(rest, " "))
}
