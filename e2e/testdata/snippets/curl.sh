curl https://api.stepsies.com/v1/stepsies \
  -H "Authorization: Bearer sk_your_api_key_here" \
  -H "Content-Type: application/json"
