import requests

response = requests.get(
    'https://api.stepsies.com/v1/stepsies',
    headers={
        'Authorization': 'Bearer sk_your_api_key_here',
        'Content-Type': 'application/json'
    }
)

data = response.json()
