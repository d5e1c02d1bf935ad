const response = await fetch('https://api.stepsies.com/v1/stepsies', {
  method: 'GET',
  headers: {
    'Authorization': 'Bearer sk_your_api_key_here',
    'Content-Type': 'application/json'
  }
});
const data = await response.json();
