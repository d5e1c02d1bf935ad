package api

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/stepsies/stepsies"
	"github.com/stepsies/stepsies/internal/reqlog"
	"github.com/stepsies/stepsies/internal/store"
)

// partnerPath is where GitHub's secret scanning tells of keys that it found in public,
// by a message that is signed
// (https://docs.github.com/code-security/secret-scanning/secret-scanning-partner-program).
// It is no operation of the API, whose clients cannot sign, and not in its document.
const partnerPath = "/leaked-keys/github"

// partnerName stands in the record of activity as who reported.
const partnerName = "GitHub"

// The headers of a signed report.
const (
	partnerKeyHeader       = "Github-Public-Key-Identifier"
	partnerSignatureHeader = "Github-Public-Key-Signature"
)

// Bounds of what an operator gives and what a report has.
const (
	maxPartnerKeys    = 32
	maxIdentifier     = 200
	maxSignature      = 200 // an ECDSA signature over P-256 has at most 96 characters
	leaksPerStatement = 100
)

// PartnerKeys are the public keys by which signed reports are known, by their identifiers.
// There are several, since they are replaced from time to time.
type PartnerKeys map[string]*ecdsa.PublicKey

// ParsePartnerKeys reads keys as GitHub publishes them at
// https://api.github.com/meta/public_keys/secret_scanning:
// {"public_keys":[{"key_identifier":"…","key":"-----BEGIN PUBLIC KEY-----…"}]}, at most
// 32 of them, each an ECDSA key on P-256 in PEM.
func ParsePartnerKeys(text []byte) (PartnerKeys, error) {
	var document struct {
		Keys []struct {
			Identifier string `json:"key_identifier"`
			Key        string `json:"key"`
		} `json:"public_keys"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return nil, fmt.Errorf(`must be JSON as {"public_keys":[{"key_identifier":"…","key":"-----BEGIN PUBLIC KEY-----…"}]}: %w`, err)
	}
	if n := len(document.Keys); n == 0 || n > maxPartnerKeys {
		return nil, fmt.Errorf("has %d public_keys, want 1 to %d", n, maxPartnerKeys)
	}
	keys := PartnerKeys{}
	for i, k := range document.Keys {
		if k.Identifier == "" || len(k.Identifier) > maxIdentifier {
			return nil, fmt.Errorf("public_keys[%d] needs a key_identifier of 1 to %d characters", i, maxIdentifier)
		}
		if keys[k.Identifier] != nil {
			return nil, fmt.Errorf("public_keys[%d] has the key_identifier of another one", i)
		}
		var err error
		if keys[k.Identifier], err = parsePublicKey(k.Key); err != nil {
			return nil, fmt.Errorf("public_keys[%d]: %w", i, err)
		}
	}
	return keys, nil
}

func parsePublicKey(text string) (*ecdsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("key must be PEM and begin with -----BEGIN PUBLIC KEY-----")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("key cannot be read: %w", err)
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("key must be an ECDSA key on the curve P-256")
	}
	return key, nil
}

// partnerMatch is one of the keys that a report names.
type partnerMatch struct {
	Token string `json:"token"`
	Type  string `json:"type"`
	URL   string `json:"url"` // may be empty
}

// partnerFeedback tells GitHub whether what it found was a key. The key itself is not
// sent back.
type partnerFeedback struct {
	Hash  string `json:"token_hash"` // SHA-256, hexadecimal
	Type  string `json:"token_type"`
	Label string `json:"label"` // true_positive or false_positive
}

// takePartnerReport ends the keys of a signed report.
func (a *API) takePartnerReport(w http.ResponseWriter, r *http.Request) {
	entry := reqlog.From(r.Context())
	entry.Route = partnerPath
	feedback, revoked, err := a.partnerReport(r, stepsies.Actor{Kind: stepsies.ActorAnonymous, Username: partnerName, IP: entry.IP})
	a.observeLeaks("github", revoked, err)
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		drain(r)
		WriteError(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = writeJSON(w, feedback) // the client has gone
}

func (a *API) partnerReport(r *http.Request, by stepsies.Actor) (feedback []partnerFeedback, revoked int, err error) {
	body, err := a.signedBody(r)
	if errors.Is(err, errUnsigned) {
		// What is not signed counts as a stranger's report. What is signed is never
		// counted, so nobody can use up a partner's calls, and who saw a report and
		// sends it again ends what has ended.
		if limit := a.countLeakReport(r.Context(), by.IP); limit != nil {
			err = limit
		}
	}
	if err != nil {
		return nil, 0, err
	}
	matches, err := parseMatches(body)
	if err != nil {
		return nil, 0, err
	}
	return a.endLeaked(r.Context(), by, matches)
}

var errUnsigned = &stepsies.Error{
	Code:    stepsies.CodeForbidden,
	Message: "The signature does not belong to this body and a known key. Sign the body as it is sent by ECDSA on P-256 with SHA-256, and name the key in " + partnerKeyHeader + ". Without a key to sign with, use POST /leaked-keys.",
}

// signedBody reads the body of a request if its signature may be one, and returns it if
// it is. Nothing of the body is interpreted before.
func (a *API) signedBody(r *http.Request) ([]byte, error) {
	key := a.Partners[r.Header.Get(partnerKeyHeader)]
	given := r.Header.Get(partnerSignatureHeader)
	if key == nil || given == "" || len(given) > maxSignature {
		return nil, errUnsigned
	}
	signature, err := base64.StdEncoding.DecodeString(given)
	if err != nil {
		return nil, errUnsigned
	}
	body, err := readBytes(r, MaxBody, errTooLarge)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(body); !ecdsa.VerifyASN1(key, sum[:], signature) {
		return nil, errUnsigned
	}
	return body, nil
}

// parseMatches reads a report. What cannot be read in one match takes no other with it.
func parseMatches(body []byte) ([]partnerMatch, error) {
	var all []json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil || all == nil {
		return nil, stepsies.BadRequest(`The body must be a JSON array of objects such as {"token":"…","type":"…","url":"…","source":"…"}.`)
	}
	var matches []partnerMatch
	for _, text := range all {
		var m partnerMatch
		if err := json.Unmarshal(text, &m); m.Token != "" && (err == nil || errors.As(err, new(*json.UnmarshalTypeError))) {
			matches = append(matches, m)
		}
	}
	return matches, nil
}

// endLeaked revokes the live keys among the matches. Whether a match was ever a key is
// read first: most of a large report may be none.
func (a *API) endLeaked(ctx context.Context, by stepsies.Actor, matches []partnerMatch) (feedback []partnerFeedback, revoked int, err error) {
	known, err := a.knownKeys(ctx, matches)
	if err != nil {
		return nil, 0, err
	}
	bySource := map[string][]stepsies.KeyHash{}
	var sources []string // in the order of the report
	feedback = make([]partnerFeedback, 0, len(matches))
	for _, m := range matches {
		hash := stepsies.KeyHash(sha256.Sum256([]byte(m.Token)))
		f := partnerFeedback{Hash: hex.EncodeToString(hash[:]), Type: m.Type, Label: "false_positive"}
		if known[hash] {
			f.Label = "true_positive"
			source, err := stepsies.ParseSourceURL(m.URL)
			if err != nil {
				source = "" // a key ends wherever it was found
			}
			if bySource[source] == nil {
				sources = append(sources, source)
			}
			bySource[source] = append(bySource[source], hash)
		}
		feedback = append(feedback, f)
	}
	for _, source := range sources {
		for hashes := range slices.Chunk(bySource[source], leaksPerStatement) {
			n, err := a.Store.RevokeLeaked(ctx, store.Write{Actor: by}, hashes, source)
			if revoked += n; err != nil {
				return nil, revoked, err
			}
		}
	}
	return feedback, revoked, nil
}

// knownKeys returns which matches are keys that were made here, whatever they are worth.
func (a *API) knownKeys(ctx context.Context, matches []partnerMatch) (map[stepsies.KeyHash]bool, error) {
	asked := map[stepsies.KeyHash]bool{}
	var hashes []stepsies.KeyHash
	for _, m := range matches {
		if secret, ok := stepsies.ParseSecret(m.Token); ok && !asked[secret.Hash()] {
			asked[secret.Hash()] = true
			hashes = append(hashes, secret.Hash())
		}
	}
	known := map[stepsies.KeyHash]bool{}
	for some := range slices.Chunk(hashes, store.MaxLookup) {
		bearers, err := a.Store.LookUpKeys(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, b := range bearers {
			known[b.Hash] = true
		}
	}
	return known, nil
}

// observeLeaks counts a report, by who made it.
func (a *API) observeLeaks(from string, revoked int, err error) {
	if a.ObserveLeaks == nil {
		return
	}
	outcome := "taken"
	if err != nil {
		outcome = string(stepsies.CodeOf(err))
	}
	a.ObserveLeaks(from, outcome, revoked)
}
